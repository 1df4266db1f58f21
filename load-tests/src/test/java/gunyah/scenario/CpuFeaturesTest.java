package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.CpuModel;
import gunyah.config.Engine;
import gunyah.config.MachineConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Linux finds in the ID registers and tells programs (/proc/cpuinfo) is what each CPU model has. */
@Tag("boot")
class CpuFeaturesTest {
    @ParameterizedTest
    @EnumSource
    void linuxFindsWhatTheModelHas(CpuModel model) {
        MachineConfig usual = Guests.machine(1);
        MachineConfig machine = new MachineConfig(usual.pcpus(), usual.memoryBytes(), usual.timesliceNs(),
                Engine.INTERPRET, model);
        try (GunyahSystem system = GunyahSystem.start(machine)) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests"));
            DebianShell.await(vm);
            DebianShell.command(vm, "grep Features /proc/cpuinfo; echo that was $((6*7))", "that was 42");
            Matcher line = Pattern.compile("Features\\s*: ([^\r\n]*)").matcher(vm.console().text());
            assertThat(line.find()).isTrue();

            assertThat(line.group(1).strip().split(" ")).containsExactlyInAnyOrderElementsOf(features(model));
        }
    }

    private static List<String> features(CpuModel model) {
        // evtstrm and cpuid are the kernel's own
        List<String> names = new ArrayList<>(List.of("fp", "asimd", "evtstrm", "cpuid"));
        if (model != CpuModel.BASE) {
            names.addAll(List.of("aes", "pmull", "sha1", "sha2", "crc32", "atomics", "fphp", "asimdhp", "asimdrdm",
                    "jscvt", "fcma", "lrcpc", "dcpop", "sha3", "asimddp", "sha512", "asimdfhm", "dit", "ilrcpc",
                    "flagm", "ssbs", "sb", "dcpodp", "flagm2", "frint", "i8mm", "bf16", "ecv"));
        }
        if (model == CpuModel.MAX) {
            names.addAll(List.of("paca", "pacg", "rng", "bti"));
        }
        return names;
    }
}
