package org.maniple.serve.openai;

import tools.jackson.core.JsonGenerator;

/** Something that can be written as one JSON value. */
@FunctionalInterface
interface JsonReply {

    /** Writes the value, once. */
    void write(JsonGenerator json);
}
