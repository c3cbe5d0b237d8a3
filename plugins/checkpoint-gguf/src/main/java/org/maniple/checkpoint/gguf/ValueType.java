package org.maniple.checkpoint.gguf;

import java.util.Optional;

/** The types of metadata values, in the order of their numbers in a file. */
enum ValueType {
    U8(1), I8(1), U16(2), I16(2), U32(4), I32(4), F32(4), BOOL(1), TEXT(0), ARRAY(0), U64(8), I64(8), F64(8);

    private final int bytes;

    ValueType(int bytes) {
        this.bytes = bytes;
    }

    /** The size of a value; 0 if that is not fixed. */
    int bytes() {
        return bytes;
    }

    static Optional<ValueType> of(int number) {
        return number < 0 || number >= values().length ? Optional.empty() : Optional.of(values()[number]);
    }
}
