package gunyah.config;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The machine that one hypervisor runs.
 *
 * @param pcpus       physical CPUs, 1..64: how many vCPUs execute at one moment
 * @param memoryBytes RAM of the machine, a multiple of 2 MiB; reserved, not committed
 * @param timesliceNs default time slice, nanoseconds, 100_000..100_000_000
 * @param engine      how guest code is executed
 * @param cpu         what kind of CPU guests see
 * @param primaryKernel whether the primary VM executes a kernel, the one VM that is launched then, and not our host
 * @param jitLog      file that is told what the translator does
 * @param codeCache   directory where translated code is kept for other processes
 */
public record MachineConfig(int pcpus, long memoryBytes, long timesliceNs, Engine engine, CpuModel cpu,
        boolean primaryKernel, Optional<Path> jitLog, Optional<Path> codeCache) {
    /** A machine with {@link Engine#INTERPRET}, {@link CpuModel#DEFAULT} and our host. */
    public MachineConfig(int pcpus, long memoryBytes, long timesliceNs) {
        this(pcpus, memoryBytes, timesliceNs, Engine.INTERPRET, CpuModel.DEFAULT);
    }

    /** A machine with our host. */
    public MachineConfig(int pcpus, long memoryBytes, long timesliceNs, Engine engine, CpuModel cpu) {
        this(pcpus, memoryBytes, timesliceNs, engine, cpu, false);
    }

    /** A machine without a log of the translator and without kept code. */
    public MachineConfig(int pcpus, long memoryBytes, long timesliceNs, Engine engine, CpuModel cpu,
            boolean primaryKernel) {
        this(pcpus, memoryBytes, timesliceNs, engine, cpu, primaryKernel, Optional.empty(), Optional.empty());
    }

    public MachineConfig {
        if (pcpus < 1 || pcpus > 64) {
            throw new BadInput("pcpus must be 1 to 64, not " + pcpus);
        }
        if (memoryBytes < 64L << 20 || memoryBytes % (2L << 20) != 0 || memoryBytes > 62L << 30) {
            throw new BadInput("machine memory must be a multiple of 2 MiB from 64 MiB to 62 GiB, not "
                    + memoryBytes + " bytes");
        }
        if (timesliceNs < 100_000 || timesliceNs > 100_000_000) {
            throw new BadInput("timeslice must be 100 us to 100 ms, not " + timesliceNs + " ns");
        }
    }
}
