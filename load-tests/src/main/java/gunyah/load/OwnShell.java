package gunyah.load;

import gunyah.runtime.Vm;
import gunyah.runtime.VmStatistics;
import java.time.Duration;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** A guest of this process. What it uses is what all threads use, JVM compilers included, but for a {@link TransferServer}. */
public final class OwnShell implements ShellGuest {
    private final Vm vm;
    private final ThreadUse begin = ThreadUse.now();

    /** Waits until the guest is up. Blocks. */
    public OwnShell(Vm vm, Duration patience) {
        this.vm = vm;
        vm.awaitConsole(PROMPT, patience);
    }

    @Override
    public MatchResult command(String line, Pattern answer, Duration patience) {
        vm.type(line + "\n");
        MatchResult found = vm.awaitConsole(answer, patience);
        vm.awaitConsole(PROMPT, patience);
        return found;
    }

    @Override
    public void command(String line, Duration patience) {
        vm.type(line + "\n");
        vm.awaitConsole(PROMPT, patience);
    }

    @Override
    public Use use() {
        VmStatistics now = vm.statistics();
        ThreadUse until = ThreadUse.now();
        Map<String, ThreadUse.Use> kinds = until.since(begin);
        long all = until.cpuNsSince(begin) - cpuNs(kinds, "transfers");
        return new Use(all, cpuNs(kinds, "host vCPUs"), cpuNs(kinds, "JVM"), now.instructions(), now.mmioExits(),
                now.virqs());
    }

    private static long cpuNs(Map<String, ThreadUse.Use> kinds, String kind) {
        return kinds.getOrDefault(kind, new ThreadUse.Use(0, 0, 0)).cpuNs();
    }

    @Override
    public void close() {
        vm.stop();
    }
}
