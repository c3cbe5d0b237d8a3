package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.kernel.config.FieldSpellings.NoEffect;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.NearestName;
import org.maniple.kernel.plugin.PluginCatalog;

/** Every declared option, and every spelling of it. */
final class OptionTable {

    private final Map<String, Option> options = new LinkedHashMap<>();
    private final Map<String, String> owners = new HashMap<>();
    private final Map<String, String> keys = new HashMap<>();
    /** Flags with one dash, which may mean something else with two: the field has {@code -ep} and {@code --ep}. */
    private final Map<String, String> shortFlags = new HashMap<>();
    private final FieldSpellings spellings = new FieldSpellings();

    /** The kernel's options and those of all loaded plugins; two plugins that declare one key or alias are a problem. */
    OptionTable(PluginCatalog catalog, Problems problems) {
        KernelOptions.ALL.forEach(option -> add(option, PluginCatalog.KERNEL, problems));
        for (LoadedPlugin plugin : catalog.plugins()) {
            plugin.extensions().stream().flatMap(provided -> provided.extension().options().stream())
                    .forEach(option -> add(option, plugin.id(), problems));
        }
        shortFlags.forEach(keys::putIfAbsent);
        for (Option option : options.values()) {
            spellings.spellingsOf(option.key()).forEach(spelling -> keys.putIfAbsent(spelling, option.key()));
        }
    }

    private void add(Option option, String plugin, Problems problems) {
        Option before = options.putIfAbsent(option.key(), option);
        if (before != null) {
            if (!before.equals(option)) {
                problems.add("plugin [" + plugin + "]", "it declares key [" + option.key() + "] otherwise than plugin ["
                        + owners.get(option.key()) + "] does; disable one of the two: maniple plugins disable " + plugin);
            }
            return;
        }
        owners.put(option.key(), plugin);
        var names = new ArrayList<String>();
        names.add("--" + option.key());
        names.addAll(option.aliases());
        var taken = new TreeSet<String>();
        for (String name : names) {
            String other = (name.startsWith("--") ? keys : shortFlags).putIfAbsent(plain(name), option.key());
            if (other != null && !other.equals(option.key()) && taken.add(plain(name))) {
                problems.add("plugin [" + plugin + "]",
                        "it declares [" + name + "] for key [" + option.key() + "], but plugin ["
                                + owners.get(other) + "] has it for key [" + other
                                + "]; disable one of the two: maniple plugins disable " + plugin);
            }
        }
    }

    /** A spelling as it is looked up. */
    static String plain(String flag) {
        return flag.replaceFirst("^--?", "").replace('_', '-');
    }

    Collection<Option> options() {
        return options.values();
    }

    Optional<Option> byKey(String key) {
        return Optional.ofNullable(options.get(key));
    }

    /** The option that a spelling without dashes stands for. */
    Optional<Option> bySpelling(String spelling) {
        return Optional.ofNullable(keys.get(spelling.replace('_', '-'))).map(options::get);
    }

    /** The option that a flag stands for, given with its dashes. */
    Optional<Option> byFlag(String flag) {
        String name = plain(flag);
        return (flag.startsWith("--") ? Optional.<String>empty() : Optional.ofNullable(shortFlags.get(name))).map(options::get)
                .or(() -> bySpelling(name));
    }

    /** A Boolean option whose opposite is meant: by {@code no-<key>}, or as the field calls that. */
    Optional<Option> byNegation(String spelling) {
        String name = spelling.replace('_', '-');
        Optional<String> negated = name.startsWith("no-") ? Optional.of(name.substring(3)) : spellings.negation(name);
        return negated.flatMap(this::bySpelling).filter(option -> option.type() == OptionType.BOOLEAN);
    }

    Optional<NoEffect> withoutEffect(String spelling) {
        return spellings.withoutEffect(spelling.replace('_', '-'));
    }

    /** Why a spelling is unknown, and what may have been meant. */
    String unknown(String what, String spelling) {
        String name = spelling.replace('_', '-');
        var meaning = spellings.meaning(name);
        if (meaning.isPresent()) {
            return "[" + spelling + "] belongs to " + meaning.get().subject() + ", which no enabled plugin brings (key ["
                    + meaning.get().key() + "]); see maniple plugins list";
        }
        return "unknown " + what + " [" + spelling + "]" + NearestName.of(name, namesLike(name))
                .map(nearest -> "; did you mean [" + nearest + "]?")
                .orElse("; maniple launch --help and maniple plugins info list the known ones");
    }

    /** A short name is near to everything short, and so is only meant by something that is short too. */
    private Collection<String> namesLike(String typed) {
        var names = new TreeSet<String>();
        keys.keySet().stream().filter(name -> name.length() > 3 || typed.length() <= 4).forEach(names::add);
        names.addAll(options.keySet());
        return names;
    }

    List<String> keys() {
        return List.copyOf(options.keySet());
    }
}
