package org.maniple.checkpoint.gguf;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.maniple.api.checkpoint.CheckpointException;

/** The metadata of a file, value by value. Arrays are read from the file when they are asked for. Safe for use by several threads. */
final class Metadata {

    private static final int MAX_NUMBERS = 1 << 22;

    private final Path file;
    private final Map<String, Object> values;

    Metadata(Path file, Map<String, Object> values) {
        this.file = file;
        this.values = values;
    }

    Path file() {
        return file;
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    List<String> keys() {
        return List.copyOf(values.keySet());
    }

    Optional<String> text(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case String text -> Optional.of(text);
            default -> throw wrong(key, "a text");
        };
    }

    String requiredText(String key) {
        return text(key).orElseThrow(() -> missing(key));
    }

    Optional<Boolean> flag(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case Boolean flag -> Optional.of(flag);
            default -> throw wrong(key, "true or false");
        };
    }

    Optional<Double> number(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case Double number when Double.isFinite(number) -> Optional.of(number);
            case Long number -> Optional.of((double) number);
            default -> throw wrong(key, "a number");
        };
    }

    /** A whole number that fits an int and is not negative; of a list with one for each layer, what all have in common. */
    Optional<Integer> integer(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case Long number when number >= 0 && number <= Integer.MAX_VALUE -> Optional.of(number.intValue());
            case ArrayPlace array -> Optional.of(common(key));
            default -> throw wrong(key, "a whole number from 0 to " + Integer.MAX_VALUE);
        };
    }

    int requiredInteger(String key) {
        return integer(key).orElseThrow(() -> missing(key));
    }

    private int common(String key) {
        List<Double> numbers = numbers(key);
        List<Double> different = numbers.stream().distinct().toList();
        if (different.size() == 1 && different.getFirst() == different.getFirst().intValue() && different.getFirst() >= 0) {
            return different.getFirst().intValue();
        }
        throw new CheckpointException(file + ": metadata [" + key + "] is " + Shown.name(different.toString())
                + " in different layers; models whose layers differ in it are not supported");
    }

    /** All numbers or truth values (as 0 and 1) of an array. */
    List<Double> numbers(String key) {
        ArrayPlace place = array(key);
        if (place.type() == ValueType.TEXT) {
            throw wrong(key, "an array of numbers");
        }
        if (place.count() > MAX_NUMBERS) {
            throw wrong(key, "an array of at most " + MAX_NUMBERS + " numbers");
        }
        return read(key, place, in -> {
            var numbers = new ArrayList<Double>((int) place.count());
            for (long i = 0; i < place.count(); i++) {
                numbers.add(switch (HeaderReader.number(in, place.type())) {
                    case Boolean flag -> flag ? 1.0 : 0.0;
                    case Number number -> number.doubleValue();
                    default -> throw wrong(key, "an array of numbers");
                });
            }
            return numbers;
        });
    }

    /** How many texts an array has. */
    int count(String key) {
        return (int) textArray(key).count();
    }

    /** Some texts of an array, by their places. */
    Map<Integer, String> texts(String key, IntPredicate wanted) {
        ArrayPlace place = textArray(key);
        return read(key, place, in -> {
            var texts = new LinkedHashMap<Integer, String>();
            for (int i = 0; i < place.count(); i++) {
                if (wanted.test(i)) {
                    texts.put(i, in.text(BoundedInput.LONGEST_TEXT));
                } else {
                    in.skip(in.count(1, "bytes of text"));
                }
            }
            return texts;
        });
    }

    private ArrayPlace textArray(String key) {
        ArrayPlace place = array(key);
        if (place.type() != ValueType.TEXT || place.count() > MAX_NUMBERS) {
            throw wrong(key, "an array of at most " + MAX_NUMBERS + " texts");
        }
        return place;
    }

    /** All texts of an array. */
    List<String> texts(String key) {
        ArrayPlace place = textArray(key);
        return read(key, place, in -> {
            var texts = new ArrayList<String>((int) place.count());
            for (long i = 0; i < place.count(); i++) {
                texts.add(in.text(BoundedInput.LONGEST_TEXT));
            }
            return texts;
        });
    }

    private interface Reading<T> {
        T from(BoundedInput in) throws IOException;
    }

    private <T> T read(String key, ArrayPlace place, Reading<T> reading) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            var in = new BoundedInput(file, channel, place.position());
            in.at("metadata [" + key + "]");
            return reading.from(in);
        } catch (IOException e) {
            throw new CheckpointException(file + ": metadata [" + key + "] cannot be read", e);
        }
    }

    private ArrayPlace array(String key) {
        return switch (values.get(key)) {
            case null -> throw missing(key);
            case ArrayPlace place -> place;
            default -> throw wrong(key, "an array");
        };
    }

    CheckpointException missing(String key) {
        return new CheckpointException(file + ": metadata [" + key + "] is missing");
    }

    CheckpointException wrong(String key, String expected) {
        @Nullable
        Object value = values.get(key);
        return new CheckpointException(file + ": metadata [" + key + "] is "
                + (value instanceof ArrayPlace array
                        ? array.count() + " elements of " + array.type()
                        : "[" + Shown.name(String.valueOf(value)) + "]")
                + ", expected " + expected);
    }
}
