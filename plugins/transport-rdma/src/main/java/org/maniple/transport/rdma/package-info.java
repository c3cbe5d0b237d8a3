/** Links between ranks over InfiniBand and RoCE, by UCX. */
package org.maniple.transport.rdma;
