/** Expert parallelism: routed experts over ranks, their balancing, and the exchanges of tokens. */
package org.maniple.moe.ep;
