/** Processor time of this thread: what a piece of work costs, however busy the machine is. */

/** Starts counting; the function gives the milliseconds of CPU since, of this thread alone. */
export function cpuTimer(): () => number {
  const before = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  };
}
