/** Pipeline parallelism: layers over stages. */
package org.maniple.parallel.pp;
