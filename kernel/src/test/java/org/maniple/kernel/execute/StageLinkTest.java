package org.maniple.kernel.execute;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.maniple.api.collective.Communicator;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.transport.Wire;

/** Activations on their way to the next stage, while this one goes on. */
class StageLinkTest {

    private final Sent sent = new Sent();
    private final Tensor tensor = Tensor.of(DType.F32, new int[] {4, 2}, Arena.ofAuto().allocate(32, 64));
    private final StageLink link = new StageLink(sent, 1, tensor, bytes -> Arena.ofAuto().allocate(bytes, 64));

    /** Something that was sent, and arrives when the test says so. */
    private static final class Frame implements Wire.Pending {
        private final MemorySegment data;
        private boolean arrived;

        Frame(MemorySegment data) {
            this.data = data;
        }

        @Override
        public boolean done() {
            return arrived;
        }

        @Override
        public long bytes() {
            return data.byteSize();
        }
    }

    /** Keeps what is sent. */
    private static final class Sent implements Communicator {
        private final List<Frame> frames = new ArrayList<>();
        private final List<Frame> awaited = new ArrayList<>();

        @Override
        public Wire.Pending send(int peer, MemorySegment data) {
            frames.add(new Frame(data));
            return frames.getLast();
        }

        @Override
        public void await(Wire.Pending pending) {
            awaited.add((Frame) pending);
        }

        @Override
        public Group group(int id, List<Integer> ranks) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void allReduce(Group group, MemorySegment floats) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void reduceScatter(Group group, MemorySegment floats, long[] partBytes, MemorySegment mine) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void allGather(Group group, MemorySegment mine, long[] partBytes, MemorySegment all) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void broadcast(Group group, int root, MemorySegment data) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void allToAll(Group group, MemorySegment from, long[] fromBytes, MemorySegment to, long[] toBytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void exchange(Group group, MemorySegment[] from, long[] fromBytes, MemorySegment[] to, long[] toBytes) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void barrier(Group group) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void receive(int peer, MemorySegment into) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean keepsTree() {
            return true;
        }
    }

    @Test
    void isBusyUntilAllThatWasSentHasArrived() {
        assertThat(link.busy()).isFalse();
        link.send();
        assertThat(link.busy()).isTrue();
        link.send();
        sent.frames.getFirst().arrived = true;
        assertThat(link.busy()).isTrue();
        sent.frames.getLast().arrived = true;
        assertThat(link.busy()).isFalse();
    }

    @Test
    void whatIsOnItsWayDoesNotChangeWithTheNextStep() {
        tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 0, 1);
        link.send();
        tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 0, 2);
        link.send();
        assertThat(sent.frames.getFirst().data.getAtIndex(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(1);
        assertThat(sent.frames.getLast().data.getAtIndex(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(2);
    }

    @Test
    void theThirdStepWaitsForTheFirst() {
        link.send();
        link.send();
        assertThat(sent.awaited).isEmpty();
        link.send();
        assertThat(sent.awaited).containsExactly(sent.frames.getFirst());
    }
}
