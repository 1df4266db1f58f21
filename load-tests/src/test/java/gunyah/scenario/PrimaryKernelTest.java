package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.config.CpuModel;
import gunyah.config.Engine;
import gunyah.config.MachineConfig;
import gunyah.config.VmConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Debian's unmodified kernel as the primary VM: it has every physical CPU and finds the hypervisor in its tree. */
@Tag("boot")
class PrimaryKernelTest {
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final String PROMPT = "/root # ";
    private static final MachineConfig MACHINE =
            new MachineConfig(2, 520 * Guests.MIB, 5_000_000, Engine.INTERPRET, CpuModel.DEFAULT, true);

    @Test
    void debianBootsAsThePrimaryVmWithTheNodesOfTheBinding() {
        try (GunyahSystem system = GunyahSystem.start(MACHINE)) {
            VmConfig config = Guests.linux("debian", Guests.KERNEL_6_1, 2, "cryptomgr.notests");
            Vm vm = system.createVm(config);

            vm.awaitConsole("smp: Brought up 1 node, 2 CPUs", BOOT);
            vm.awaitConsole(PROMPT, BOOT);
            command(vm, "tr '\\0' '\\n' < /proc/device-tree/hypervisor/compatible", "\ngunyah-hypervisor\r\n");
            command(vm, "head -c 23 /proc/device-tree/hypervisor/gunyah-resource-mgr@*/compatible; echo",
                    "\ngunyah-resource-manager\r\n");
            command(vm, "cat /proc/device-tree/hypervisor/gunyah-resource-mgr@*/interrupts | wc -c", "\n24\r\n");
            command(vm, "hexdump -C /proc/device-tree/hypervisor/qcom,gunyah-vm/qcom,vmid", "00 00 00 03");
            command(vm, "ls -d /proc/device-tree/gunyah-vm-config", "No such file");
            assertThatThrownBy(() -> system.createVm(
                    Guests.linux("second", Guests.KERNEL_6_1, 2, ""))).isInstanceOf(BadInput.class);
            vm.type("poweroff -f\n");

            assertThat(vm.awaitExit(BOOT).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
            assertThat(vm.statistics().instructions()).isGreaterThan(100_000_000);
        }
    }

    private static void command(Vm vm, String line, String answer) {
        vm.type(line + "\n");
        vm.awaitConsole(answer, BOOT);
        vm.awaitConsole(PROMPT, BOOT);
    }
}
