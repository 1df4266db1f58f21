package gunyah.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import gunyah.crash.FaultPlan.Kind;
import gunyah.crash.JoinedVm.End;
import gunyah.vmm.VmExit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * An actor of a VM, or one that serves all, fails at a random message of the life of two joined VMs, while two others,
 * joined as well, run on. The VM it belongs to ends and says why; all that both had comes back, zeroed; the bystanders
 * make progress; a fresh VM works. {@code -Dgunyah.crash-points=1000} is the long run.
 */
@Tag("guest")
class CrashTest {
    private static final int POINTS = Integer.getInteger("gunyah.crash-points", 120);
    /** Which actors fail, by turns. */
    private static final List<Kind> KINDS = Arrays.stream(Kind.values())
            .filter(kind -> kind.name().matches(System.getProperty("gunyah.crash-kinds", ".*"))).toList();
    private static final int ROUNDS = 40;
    /** Rounds after which a guest has touched all its pages. */
    private static final int SETTLED = 130;
    private static final Duration SOON = Duration.ofSeconds(60);

    private final long seed = Long.getLong("gunyah.seed", 20_261_125L);
    private final Random random = new Random(seed);
    private final FaultPlan plan = new FaultPlan();
    private final Map<Kind, Integer> hits = new EnumMap<>(Kind.class);
    private final Map<Kind, Integer> ended = new EnumMap<>(Kind.class);

    @TempDir
    private Path directory;

    @BeforeAll
    static void silence() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.INFO);
    }

    @Test
    void oneFailureEndsAtMostItsOwnVmAndLeavesNothingBehind() {
        try (CrashMachine machine = new CrashMachine(plan, 2, directory)) {
            JoinedVm left = machine.launch("left", "right", true, 0);
            JoinedVm right = machine.launch("right", "left", false, 0);
            await().atMost(SOON).until(() -> left.rounds() > SETTLED && right.rounds() > SETTLED);
            List<String> before = machine.possessions();
            Map<Kind, Integer> messages = messagesOfALife(machine, before);

            for (int point = 0; point < POINTS; point++) {
                Kind kind = KINDS.get(point % KINDS.size());
                int message = 1 + random.nextInt(messages.get(kind));
                point(machine, "seed %d point %d".formatted(seed, point), kind, message, before, left, right);
            }

            System.out.printf("crash points %d, seed %d: hit %s, of these VMs ended %s%n", POINTS, seed, hits, ended);
            for (Kind kind : KINDS) {
                assertThat(hits.getOrDefault(kind, 0)).as("hits of %s", kind).isPositive();
            }
        }
    }

    /** Two VMs that nothing happens to. {@return how many messages each kind of actor gets} */
    private Map<Kind, Integer> messagesOfALife(CrashMachine machine, List<String> before) {
        plan.count();
        pair(machine, "calm").forEach(vm -> assertThat(end(vm, "calm").kind()).isEqualTo(VmExit.Kind.POWERED_OFF));
        Map<Kind, Integer> messages = new EnumMap<>(Kind.class);
        for (Kind kind : Kind.values()) {
            // Others use the physical CPUs as well, so how many messages these get in a life differs most.
            messages.put(kind, plan.counted(kind) / (kind == Kind.PCPU ? 3 : 1));
        }
        awaitPossessions(machine, before, "calm");
        System.out.println("messages of a life: " + messages);
        return messages;
    }

    private static List<JoinedVm> pair(CrashMachine machine, String name) {
        return List.of(machine.launch(name + "-a", name + "-b", true, ROUNDS),
                machine.launch(name + "-b", name + "-a", false, ROUNDS));
    }

    private void point(CrashMachine machine, String where, Kind kind, int message, List<String> before,
            JoinedVm left, JoinedVm right) {
        plan.arm(kind, message, random.nextBoolean());
        List<JoinedVm> victims = pair(machine, "victim");
        int leftPrinted = left.printed();
        int rightPrinted = right.printed();

        List<End> ends = victims.stream().map(vm -> end(vm, where + " " + kind + " " + message)).toList();

        String hit = plan.disarm();
        String what = "%s: %s, %s".formatted(where, hit, victims);
        judge(kind, hit, victims, ends, what);
        awaitPossessions(machine, before, what);
        assertThat(machine.leftovers()).as(what).isEmpty();
        await(what).atMost(SOON).until(() -> left.printed() > leftPrinted && right.printed() > rightPrinted);
        assertThat(List.of(left.end().isDone(), right.end().isDone())).as(what).containsOnly(false);
        JoinedVm fresh = machine.launch("fresh", "nobody", true, 2);
        assertThat(end(fresh, what).kind()).as(what).isEqualTo(VmExit.Kind.POWERED_OFF);
        awaitPossessions(machine, before, what);
    }

    /** Whoever ended early was hit and says so; a failure of what serves all need not end anybody. */
    private void judge(Kind kind, String hit, List<JoinedVm> victims, List<End> ends, String what) {
        boolean early = false;
        for (int i = 0; i < ends.size(); i++) {
            End end = ends.get(i);
            if (end.kind() == VmExit.Kind.POWERED_OFF) {
                assertThat(victims.get(i).livedOn()).as(what).isTrue();
            } else {
                early = true;
                assertThat(hit).as(what).isNotNull();
                assertThat(end.kind()).as(what).isIn(VmExit.Kind.CRASHED, null);
            }
        }
        if (hit != null) {
            hits.merge(kind, 1, Integer::sum);
            if (early) {
                ended.merge(kind, 1, Integer::sum);
                // What was not launched is answered with the error that the failure became on its way.
                assertThat(ends.stream().anyMatch(end -> end.kind() == null || end.reason().contains("injected")))
                        .as(what).isTrue();
            }
            if (kind == Kind.PCPU) {
                assertThat(early).as(what).isFalse();
            }
        }
    }

    private static End end(JoinedVm vm, String what) {
        try {
            return vm.end().get(SOON.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("%s: %s did not end".formatted(what, vm), e);
        }
    }

    private static void awaitPossessions(CrashMachine machine, List<String> before, String what) {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (!machine.possessions().equals(before) && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        List<String> missing = new ArrayList<>(before);
        List<String> tooMuch = new ArrayList<>(machine.possessions());
        tooMuch.removeAll(before);
        missing.removeAll(machine.possessions());
        assertThat(missing).as("%s; instead of these there are%n%s", what, String.join("\n", tooMuch)).isEmpty();
        assertThat(tooMuch).as(what).isEmpty();
    }
}
