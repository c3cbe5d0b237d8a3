package org.maniple.kernel.plugin;

import java.io.Serial;
import java.nio.file.Path;
import org.maniple.api.ManipleException;

/** A plugin cannot be used. Names the plugin, its folder, what is wrong, and what to do. */
public final class PluginException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String pluginId;
    private final String folder;
    private final String reason;
    private final String remedy;

    PluginException(String pluginId, Path folder, String reason, String remedy) {
        super(message(pluginId, folder, reason, remedy));
        this.pluginId = pluginId;
        this.folder = folder.toString();
        this.reason = reason;
        this.remedy = remedy;
    }

    PluginException(String pluginId, Path folder, String reason, String remedy, Throwable cause) {
        super(message(pluginId, folder, reason, remedy), cause);
        this.pluginId = pluginId;
        this.folder = folder.toString();
        this.reason = reason;
        this.remedy = remedy;
    }

    private static String message(String pluginId, Path folder, String reason, String remedy) {
        return "plugin [" + pluginId + "] in " + folder + ": " + reason + "; " + remedy;
    }

    /** The plugin's id; the name of its folder if the descriptor could not be read. */
    public String pluginId() {
        return pluginId;
    }

    /** Where it is. */
    public String folder() {
        return folder;
    }

    /** What is wrong. */
    public String reason() {
        return reason;
    }

    /** What to do about it. */
    public String remedy() {
        return remedy;
    }
}
