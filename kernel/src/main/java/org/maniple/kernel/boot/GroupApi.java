package org.maniple.kernel.boot;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.maniple.api.Extension;
import org.maniple.api.PluginContext;
import org.maniple.api.frontend.Frontend;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.KernelExtensions;
import org.maniple.kernel.remote.RemoteEngine;
import org.maniple.kernel.unit.Membership;
import org.maniple.kernel.unit.StartupReport;

/** On a rank other than 0 that serves its group: rank 0's engine from afar, and a frontend before it. */
final class GroupApi {

    /** How long rank 0 may take to begin serving once all ranks are ready. */
    private static final Duration BEGIN_LIMIT = Duration.ofMinutes(5);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    private final UnitConfiguration configuration;
    private final ApiPlace place;
    private final Function<Extension, PluginContext> contexts;
    private final StartupReport report;
    private final RemoteEngine engine;
    private Frontend.@Nullable Serving frontend;
    private boolean over;

    /**
     * @param contexts for extensions, with the settings that {@code place} gives
     * @param membership reaches rank 0
     */
    GroupApi(UnitPlan plan, Capacity capacity, ApiPlace place, Membership membership, Function<Extension, PluginContext> contexts,
            StartupReport report) {
        this.configuration = place.configuration(plan.configuration());
        this.place = place;
        this.contexts = contexts;
        this.report = report;
        var line = new RemoteEngine.Line(frame -> membership.send(0, frame), Membership.MAX_PARCEL, ANSWER_LIMIT);
        engine = new RemoteEngine(ServedModel.info(plan, capacity), ServedModel.codec(configuration, contexts),
                configuration.settings().shown(), place.home(), KernelExtensions.version(), line);
    }

    /** A frame has come from rank 0. */
    void arrived(byte[] frame) {
        engine.arrived(frame);
    }

    /**
     * Opens the API on a thread of its own once rank 0 takes requests, which needs this rank's steps.
     *
     * @param broken told why it cannot be opened, to follow this rank in a sentence
     */
    void serve(Consumer<String> broken) {
        Thread.ofPlatform().name("group-api").daemon().start(() -> {
            try {
                if (engine.awaitReady(BEGIN_LIMIT)) {
                    open();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                broken.accept("cannot serve: " + e.getMessage());
            }
        });
    }

    private synchronized void open() {
        if (over || configuration.settings().flag(KernelOptions.EXIT_AFTER_PROMPT)) {
            return;
        }
        Frontend chosen = configuration.chosen(ExtensionKind.FRONTEND);
        Frontend.Serving serving = chosen.serve(engine, contexts.apply(chosen));
        frontend = serving;
        report.ready(engine.model().names().getFirst() + " (group " + place.home() + ")", serving.url());
    }

    /** Nothing comes from rank 0 any more: requests end with this reason, and health checks say it. */
    void fail(String reason) {
        engine.fail(reason);
        Frontend.Serving serving;
        synchronized (this) {
            serving = frontend;
        }
        if (serving != null) {
            serving.drain(reason);
        }
    }

    /** Answers health checks for some more time, then ends. */
    void close(Duration linger) {
        boolean interrupted = false;
        try {
            new CountDownLatch(1).await(linger.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
        }
        Frontend.Serving serving;
        synchronized (this) {
            over = true;
            serving = frontend;
        }
        if (serving != null) {
            serving.close();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
