package org.maniple.kernel.engine;

import org.maniple.api.engine.SchedulingPolicy;
import org.maniple.testkit.SchedulingPolicyContract;

class PriorityPolicyTest extends SchedulingPolicyContract {

    @Override
    protected SchedulingPolicy policy() {
        return new PriorityPolicy();
    }
}
