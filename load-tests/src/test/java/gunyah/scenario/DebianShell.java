package gunyah.scenario;

import gunyah.runtime.Vm;
import java.time.Duration;

/** The shell that the fetched initramfs ends in. Deadlines are for a computer that does much else meanwhile. */
final class DebianShell {
    static final Duration BOOT = Duration.ofMinutes(8);
    static final Duration COMMAND = Duration.ofMinutes(5);
    private static final String PROMPT = "/root # ";

    private DebianShell() {
    }

    static void await(Vm vm) {
        vm.awaitConsole(PROMPT, BOOT);
    }

    /** Types a line, and waits for what it is to print and for the prompt. */
    static void command(Vm vm, String line, String answer) {
        command(vm, line, answer, COMMAND);
    }

    static void command(Vm vm, String line, String answer, Duration patience) {
        vm.type(line + "\n");
        vm.awaitConsole(answer, patience);
        vm.awaitConsole(PROMPT, COMMAND);
    }
}
