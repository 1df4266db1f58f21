package gunyah.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What one run of the program does: the machine, the VMs on it and what becomes of their consoles. Made from layers of
 * settings by {@link SettingsReader}.
 *
 * @param machine the machine
 * @param vms     at least one VM, with distinct names
 * @param console where console output goes
 * @param timeout how long the run may take
 * @param stats   whether statistics are printed at the end
 * @param trace   file for the event trace
 */
public record RunSettings(MachineConfig machine, List<VmConfig> vms, ConsoleTarget console, Optional<Duration> timeout,
        boolean stats, Optional<Path> trace) {
    public RunSettings {
        vms = List.copyOf(vms);
        if (vms.isEmpty()) {
            throw new BadInput("a run needs at least one VM");
        }
        if (vms.size() > 1 && console instanceof ConsoleTarget.Stdio) {
            throw new BadInput("console stdio is for one VM: with %d VMs use file:PATH or null".formatted(vms.size()));
        }
    }
}
