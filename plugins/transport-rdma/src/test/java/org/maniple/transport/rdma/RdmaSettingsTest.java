package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.testkit.GivenSettings;

class RdmaSettingsTest {

    private static final List<RdmaDevice> DEVICES = List.of(device("mlx5_0", 1), device("mlx5_1", 1), device("mlx5_10", 1),
            device("bnxt_re0", 1));

    private static RdmaDevice device(String name, int port) {
        return new RdmaDevice(name, port, "ACTIVE", "InfiniBand", "100 Gb/sec");
    }

    private static Map<String, String> variables(Map<String, Object> given, Map<String, String> environment) {
        return RdmaSettings.of(new GivenSettings(RdmaSettings.OPTIONS, given)).variables(environment, DEVICES);
    }

    @Test
    void whatIsConfiguredIsToldToUcx() {
        assertThat(variables(
                Map.of("rdma-transports", List.of("rc", "ud"), "rdma-devices", List.of("mlx5_0:1", "mlx5_1:1"), "rdma-gid-index",
                        3, "rdma-traffic-class", 106, "rdma-service-level", 2, "rdma-rails", 2, "rdma-ports", "18515-18530"),
                Map.of()))
                .containsEntry("TLS", "rc,ud").containsEntry("NET_DEVICES", "mlx5_0:1,mlx5_1:1")
                .containsEntry("IB_GID_INDEX", "3")
                .containsEntry("IB_TRAFFIC_CLASS", "106").containsEntry("IB_SL", "2").containsEntry("MAX_RNDV_RAILS", "2")
                .containsEntry("TCP_PORT_RANGE", "18515-18530");
    }

    @Test
    void onlyDevicesAreUsedUnlessSomethingElseIsNamed() {
        assertThat(variables(Map.of(), Map.of())).containsEntry("TLS", "ib").doesNotContainKey("NET_DEVICES");
        assertThat(RdmaSettings.of(new GivenSettings(RdmaSettings.OPTIONS, Map.of())).needsDevice()).isTrue();
        assertThat(Backends.settings("tcp").needsDevice()).isFalse();
        assertThat(Backends.settings("posix", "rc").needsDevice()).isTrue();
    }

    @Test
    void withoutADeviceOnlyLargeMessagesAreAskedForUnlessUcxIsToldOtherwise() {
        RdmaSettings within = Backends.settings("tcp");
        assertThat(within.variables(Map.of(), List.of())).containsEntry("RNDV_THRESH", "256k");
        assertThat(within.variables(Map.of("UCX_RNDV_THRESH", "8k"), List.of())).doesNotContainKey("RNDV_THRESH");
        assertThat(variables(Map.of(), Map.of())).doesNotContainKey("RNDV_THRESH");
    }

    @Test
    void whatOperatorsHaveToldNcclHoldsHere() {
        assertThat(variables(Map.of(),
                Map.of("NCCL_IB_HCA", "mlx5_1", "NCCL_IB_GID_INDEX", "5", "NCCL_IB_TC", "41", "NCCL_IB_SL", "1",
                        "NCCL_IB_TIMEOUT", "18", "NCCL_IB_RETRY_CNT", "7")))
                .containsEntry("NET_DEVICES", "mlx5_1:1,mlx5_10:1").containsEntry("IB_GID_INDEX", "5")
                .containsEntry("IB_TRAFFIC_CLASS", "41")
                .containsEntry("IB_SL", "1").containsEntry("RC_TIMEOUT", "1073742us").containsEntry("RC_RETRY_COUNT", "7");
    }

    @Test
    void ncclsWaysToNameDevicesAreUnderstood() {
        assertThat(variables(Map.of(), Map.of("NCCL_IB_HCA", "=mlx5_1,mlx5_0:1"))).containsEntry("NET_DEVICES",
                "mlx5_0:1,mlx5_1:1");
        assertThat(variables(Map.of(), Map.of("NCCL_IB_HCA", "^mlx5"))).containsEntry("NET_DEVICES", "bnxt_re0:1");
        assertThat(variables(Map.of(), Map.of("NCCL_IB_HCA", "^=mlx5_1"))).containsEntry("NET_DEVICES",
                "mlx5_0:1,mlx5_10:1,bnxt_re0:1");
        assertThat(variables(Map.of(), Map.of("NCCL_IB_GID_INDEX", "-1"))).doesNotContainKey("IB_GID_INDEX");
    }

    @Test
    void theConfigurationComesBeforeVariablesOfUcxAndTheseBeforeThoseOfNccl() {
        Map<String, String> environment = Map.of("NCCL_IB_GID_INDEX", "5", "UCX_IB_GID_INDEX", "4", "NCCL_IB_TC", "41");
        assertThat(variables(Map.of(), environment)).doesNotContainKey("IB_GID_INDEX").containsEntry("IB_TRAFFIC_CLASS", "41");
        assertThat(variables(Map.of("rdma-gid-index", 3, "rdma-traffic-class", 106), environment))
                .containsEntry("IB_GID_INDEX", "3")
                .containsEntry("IB_TRAFFIC_CLASS", "106");
    }

    @Test
    void checksumsAreLeftOutOnlyIfNothingCanLeaveTheHost() {
        assertThat(Backends.settings("posix", "cma").leavesHost()).isFalse();
        assertThat(Backends.settings("posix", "tcp").leavesHost()).isTrue();
        assertThat(Backends.settings("ib").leavesHost()).isTrue();
    }
}
