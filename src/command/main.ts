/** The entry: standard streams and the command line in, an exit status out. */

import { processIo } from './process-io.ts';
import { runProgram } from './program.ts';

// The clock's timers do not keep a process up, and a command may wait for nothing else.
const awake = setInterval(() => undefined, 3_600_000);
process.exitCode = await runProgram(process.argv.slice(2), processIo());
clearInterval(awake);
// Whatever still holds on to the process after that has no work left to do.
setTimeout(() => process.exit(), 2_000).unref();
