/** The entry: standard streams and the command line in, an exit status out. */

import { processIo } from './process-io.ts';
import { runProgram } from './program.ts';

process.exitCode = await runProgram(process.argv.slice(2), processIo());
// Whatever still holds on to the process after that has no work left to do.
setTimeout(() => process.exit(), 2_000).unref();
