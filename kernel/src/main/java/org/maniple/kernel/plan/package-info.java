/** Planning: how a model can be spread over some ranks, what each of them would hold and send, and which way is recommended. */
package org.maniple.kernel.plan;
