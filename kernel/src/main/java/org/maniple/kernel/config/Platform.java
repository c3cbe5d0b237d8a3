package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.kernel.config.Given.Origin;

/**
 * What the platform that started this process says about its place: LeaderWorkerSet before {@code RANK_ID} before torchrun before SLURM
 * before a StatefulSet's pod index. Where one process is started for each node its number is the node's; where one is started for each
 * rank, the rank's.
 *
 * @param name of the platform, for people
 * @param values what it says about configuration keys
 * @param processRank the number of this process among all, where the platform starts one for each rank
 * @param processes the number of processes that the platform starts
 * @param localRank the number of this process on its node
 * @param rankSource the variable that numbers this process
 * @param processesSource the variable that counts the processes
 */
record Platform(
        String name,
        List<Given> values,
        OptionalInt processRank,
        OptionalInt processes,
        OptionalInt localRank,
        String rankSource,
        String processesSource) {

    /** Which command asks: one that starts all ranks of a node, or one that is a rank. */
    enum Command {
        NODE, RANK
    }

    /** Reads the variables of the first platform that is there. */
    static Platform detect(Environment environment, Command command, Problems problems) {
        return new Detector(environment, command, problems).detect();
    }

    private static final class Detector {

        private final Environment environment;
        private final Command command;
        private final Problems problems;
        private final List<Given> values = new ArrayList<>();
        private OptionalInt processRank = OptionalInt.empty();
        private OptionalInt processes = OptionalInt.empty();
        private OptionalInt localRank = OptionalInt.empty();
        private String rankSource = "";
        private String processesSource = "";

        Detector(Environment environment, Command command, Problems problems) {
            this.environment = environment;
            this.command = command;
            this.problems = problems;
        }

        Platform detect() {
            String name = platform();
            if (values.stream().noneMatch(given -> given.key().equals(KernelOptions.DIST_INIT_ADDR))) {
                address("MASTER_ADDRESS", "");
                address("MASTER_ADDR", "MASTER_PORT");
            }
            return new Platform(name, List.copyOf(values), processRank, processes, localRank, rankSource, processesSource);
        }

        private String platform() {
            if (has("LWS_WORKER_INDEX")) {
                number(KernelOptions.NODE_RANK, "LWS_WORKER_INDEX");
                number(KernelOptions.NNODES, "LWS_GROUP_SIZE");
                address("LWS_LEADER_ADDRESS", "");
                return "LeaderWorkerSet";
            }
            if (has("RANK_ID")) {
                number(KernelOptions.NODE_RANK, "RANK_ID");
                address("MASTER_ADDRESS", "");
                return "RANK_ID";
            }
            if (has("RANK") && has("WORLD_SIZE")) {
                torchrun();
                return "torchrun";
            }
            if (has("SLURM_NODEID") && has("SLURM_NNODES")) {
                slurm();
                return "SLURM";
            }
            if (has("POD_INDEX")) {
                number(KernelOptions.NODE_RANK, "POD_INDEX");
                return "StatefulSet";
            }
            return "none";
        }

        private void torchrun() {
            OptionalInt perNode = number("LOCAL_WORLD_SIZE");
            if (command == Command.RANK) {
                numberRanks("RANK", "WORLD_SIZE", "LOCAL_RANK");
                if (perNode.isPresent() && perNode.getAsInt() > 0 && processes.isPresent() && processRank.isPresent()) {
                    give(KernelOptions.NNODES, Math.ceilDiv(processes.getAsInt(), perNode.getAsInt()), "WORLD_SIZE");
                    node(processRank.getAsInt() / perNode.getAsInt(), "RANK");
                }
            } else if (perNode.orElse(1) > 1) {
                problems.add("LOCAL_WORLD_SIZE",
                        "torchrun starts [" + perNode.getAsInt() + "] processes on this node, but launch and serve start"
                                + " the ranks of a node themselves; start one process for each node, or use maniple rank");
            } else {
                number(KernelOptions.NODE_RANK, "RANK");
                number(KernelOptions.NNODES, "WORLD_SIZE");
            }
            address("MASTER_ADDR", "MASTER_PORT");
        }

        private void slurm() {
            if (command == Command.RANK && has("SLURM_PROCID") && has("SLURM_NTASKS")) {
                numberRanks("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID");
            }
            number(KernelOptions.NODE_RANK, "SLURM_NODEID");
            number(KernelOptions.NNODES, "SLURM_NNODES");
            String variable = has("SLURM_JOB_NODELIST") ? "SLURM_JOB_NODELIST" : "SLURM_NODELIST";
            environment.value(variable).ifPresent(list -> {
                try {
                    String first = SlurmHostList.expand(list).getFirst();
                    values.add(new Given(KernelOptions.DIST_INIT_ADDR, first, Origin.PLATFORM, variable));
                } catch (IllegalArgumentException e) {
                    problems.add(variable, String.valueOf(e.getMessage()));
                }
            });
        }

        private void numberRanks(String rank, String count, String local) {
            processRank = number(rank);
            processes = number(count);
            localRank = number(local);
            rankSource = rank;
            processesSource = count;
        }

        private boolean has(String variable) {
            return environment.value(variable).isPresent();
        }

        private OptionalInt number(String variable) {
            Optional<String> text = environment.value(variable);
            if (text.isPresent() && !text.get().matches("\\d{1,6}")) {
                problems.add(variable, "[" + text.get() + "] is not a whole number; the platform sets it, or unset it");
                return OptionalInt.empty();
            }
            return text.map(Integer::parseInt).map(OptionalInt::of).orElse(OptionalInt.empty());
        }

        private void number(String key, String variable) {
            number(variable).ifPresent(number -> {
                if (key.equals(KernelOptions.NODE_RANK)) {
                    node(number, variable);
                } else {
                    give(key, number, variable);
                }
            });
        }

        /** The key node-rank is a text, since it may also be auto. */
        private void node(int number, String variable) {
            values.add(new Given(KernelOptions.NODE_RANK, Integer.toString(number), Origin.PLATFORM, variable));
        }

        private void give(String key, int number, String variable) {
            if (number == 0) {
                problems.add(variable, key, "[0] is too small; the platform sets it, or unset it");
                return;
            }
            values.add(new Given(key, number, Origin.PLATFORM, variable));
        }

        private void address(String variable, String portVariable) {
            if (values.stream().anyMatch(given -> given.key().equals(KernelOptions.DIST_INIT_ADDR))) {
                return;
            }
            environment.value(variable).ifPresent(host -> {
                String port = environment.value(portVariable.isEmpty() ? "-" : portVariable).map(text -> ":" + text).orElse("");
                boolean bareIpv6 = host.indexOf(':') != host.lastIndexOf(':') && !host.startsWith("[");
                String text = bareIpv6 && !port.isEmpty() ? "[" + host + "]" + port : host + port;
                values.add(new Given(KernelOptions.DIST_INIT_ADDR, text, Origin.PLATFORM, variable));
            });
        }
    }
}
