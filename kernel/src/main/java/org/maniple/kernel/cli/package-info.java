/** The command line: commands, their help, and their exit codes. */
@NullMarked
package org.maniple.kernel.cli;

import org.jspecify.annotations.NullMarked;
