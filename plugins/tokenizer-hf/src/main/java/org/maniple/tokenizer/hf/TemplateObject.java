package org.maniple.tokenizer.hf;

import java.util.AbstractList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Values of a template beyond null, Boolean, Long, Double, String, List and Map. Nothing here leads to an object of the host program.
 */
sealed interface TemplateObject {

    /** What a name that stands for nothing stands for. Prints as nothing; almost anything else done with it fails. */
    record Undefined(String name) implements TemplateObject {
        TemplateException failure() {
            return TemplateException.failed("'" + name + "' is undefined");
        }
    }

    /** A mutable bag of named values that outlives the scope of a loop. */
    final class Namespace implements TemplateObject {
        private final Map<String, @Nullable Object> fields;

        Namespace(Map<String, @Nullable Object> fields) {
            this.fields = new HashMap<>(fields);
        }

        boolean has(String name) {
            return fields.containsKey(name);
        }

        @Nullable
        Object get(String name) {
            return fields.get(name);
        }

        void set(String name, @Nullable Object value) {
            fields.put(name, value);
        }
    }

    /** Something that can be called. */
    non-sealed interface Function extends TemplateObject {
        @Nullable
        Object call(CallArguments arguments);
    }

    /** The {@code loop} variable. */
    interface Loop extends Function {
        @Nullable
        Object field(String name);
    }

    /** A list that prints with parentheses. */
    class Tuple extends AbstractList<@Nullable Object> {
        private final List<@Nullable Object> elements;

        Tuple(List<@Nullable Object> elements) {
            this.elements = elements;
        }

        @Override
        public @Nullable Object get(int index) {
            return elements.get(index);
        }

        @Override
        public int size() {
            return elements.size();
        }
    }

    /** One group of {@code groupby}: a tuple whose halves have names. */
    final class Group extends Tuple {
        Group(@Nullable Object key, List<@Nullable Object> members) {
            super(java.util.Arrays.asList(key, members));
        }
    }

    /** The integers from {@code start} in steps of {@code step}; takes no memory. */
    final class Range extends AbstractList<@Nullable Object> {
        private final long start;
        private final long step;
        private final int count;

        Range(long start, long step, int count) {
            this.start = start;
            this.step = step;
            this.count = count;
        }

        @Override
        public Object get(int index) {
            java.util.Objects.checkIndex(index, count);
            return start + index * step;
        }

        @Override
        public int size() {
            return count;
        }

        String python() {
            return "range(" + start + ", " + (start + count * step) + (step == 1 ? "" : ", " + step) + ")";
        }
    }
}
