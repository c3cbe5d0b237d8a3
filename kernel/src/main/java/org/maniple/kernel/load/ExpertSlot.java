package org.maniple.kernel.load;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * One expert's part of a weight, in the form of a slot of a stacked tensor.
 *
 * @param elements the memory of the slot
 * @param factors the memory of the slot in the tensor of factors, if the weight has some
 */
public record ExpertSlot(MemorySegment elements, Optional<MemorySegment> factors) {}
