package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import gunyah.hyp.MachineState;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.MessageId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * The Resource Manager meets a defect at a hypercall of the life of VMs that execute guest code, just before the call
 * is made or just after, and is restarted by its supervisor. Every request is answered; each VM works on and ends as
 * usual, or has ended with a reason that its owner was told; then the machine is what it was before: every object,
 * capability, mapping, queue and page. A bystander notices nothing. Each {@code gunyah.rm.restart-stride}-th point is
 * taken in turn; 1 takes all.
 */
@Tag("guest")
class RestartTest {
    private static final int STRIDE = Integer.getInteger("gunyah.rm.restart-stride", 41);
    private static final int FIRST = Integer.getInteger("gunyah.rm.restart-first", 1);
    private static final int MOST_BAD = 10;

    private final AtomicInteger restarts = new AtomicInteger();
    private final AtomicReference<FaultyPort> faulty = new AtomicReference<>();
    private RealHost host;
    private FaultyPort port;
    private Agent bystander;

    @BeforeAll
    static void silence() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.INFO);
    }

    @BeforeEach
    void boot() {
        RmTrace counter = new RmTrace() {
            @Override
            public void restarted() {
                restarts.incrementAndGet();
            }
        };
        host = new RealHost(3, 256L << 20, RmProfile.large(), counter, real -> {
            faulty.set(new FaultyPort(real));
            return faulty.get();
        });
        port = faulty.get();
        bystander = new Agent(host, Agent.tree("bystander", 0), 0x4700_0000L);
        bystander.start();
        bystander.run();
    }

    @AfterEach
    void stop() {
        host.close();
    }

    private void atEveryPoint(String name, Function<RealHost, Scene> kind) {
        Scene scene = kind.apply(host);
        MachineState before = calm(scene);
        int all = port.calls();
        List<Integer> lines = freeLines();
        live(scene, 0, true);
        host.awaitSame(before, name);
        int points = 0;
        int hits = 0;
        List<String> bad = new ArrayList<>();
        for (int point = FIRST; point <= 2 * all && bad.size() < MOST_BAD; point += STRIDE) {
            points++;
            try {
                String hit = live(scene, (point + 1) / 2, point % 2 == 1);
                hits += hit == null ? 0 : 1;
                host.awaitSame(before, "%s".formatted(hit));
                Life.use(bystander);
            } catch (AssertionError | RuntimeException failed) {
                bad.add("call %d of %d, %s: %s".formatted((point + 1) / 2, all, port.disarm(), failed));
                stop();
                boot();
                scene = kind.apply(host);
                before = calm(scene);
            }
        }
        System.out.printf("%s: %d hypercalls, failed at %d of %d points%n", name, all, hits, points);
        assertThat(bad).as(name).isEmpty();
        assertThat(freeLines()).as("%s: lines of the primary VM", name).isEqualTo(lines);
        // Of the bystander and the primary VM.
        await().atMost(Duration.ofMinutes(1)).until(() -> ManyVmsTest.vcpuThreads() == 2);
        assertThat(hits).isPositive();
    }

    /** {@return the lines that a VM gets which is made now} */
    private List<Integer> freeLines() {
        host.forget();
        Life life = new Life(host);
        PagedGuest guest = life.paged();
        guest.configure(GuestTrees.guest(2));
        life.end();
        return guest.lines();
    }

    /** Lives twice without a defect. {@return what the machine is afterwards} */
    private MachineState calm(Scene scene) {
        live(scene, 0, true);
        live(scene, 0, true);
        Life.use(bystander);
        Life.use(bystander);
        return host.atRest();
    }

    /** {@return where the Resource Manager failed, or null} */
    private String live(Scene scene, int call, boolean before) {
        host.forget();
        restarts.set(0);
        Life life = new Life(host);
        assertThat(life.tries(() -> scene.prepare(life))).as("%s", life.refusals()).isTrue();
        port.arm(call, before);
        scene.act(life);
        String hit = port.disarm();
        if (hit == null) {
            assertThat(life.refusals()).isEmpty();
        }
        // A failure behind the last answer is told to the supervisor when the scene is over already.
        await().atMost(Duration.ofMinutes(1))
                .untilAsserted(() -> assertThat(restarts.get()).as("restarts, %s", hit).isEqualTo(hit == null ? 0 : 1));
        life.end();
        return hit;
    }

    // The Resource Manager looks into a queue once more when it has answered what was in it.
    @Test
    void whileAVmIsMadeAndStarted() {
        atEveryPoint("making", on -> life -> life.tries(() -> {
            Agent vm = life.agent(() -> new Agent(on, Agent.tree("alone", 1), 0x4400_0000L));
            vm.start();
            vm.run();
            Life.use(vm);
        }));
    }

    @Test
    void whileADriverMakesAVmWithLentPages() {
        atEveryPoint("paging", on -> life -> life.tries(() -> {
            PagedGuest guest = life.paged();
            guest.configure(GuestTrees.guest(1));
            // SYSTEM_OFF
            on.port.write(PagedGuest.PAGE, HexFormat.of().parseHex("00018052" + "0080b072" + "020000d4"), 0, 12);
            on.ok(MessageId.VM_SET_BOOT_CONTEXT,
                    new BootContext(guest.vmid, BootContext.SET_PC, 0, PagedGuest.PAGE_IPA));
            guest.start();
            guest.lendAPage();
            try {
                assertThat(guest.run()).startsWith(0, 2);
                on.await(MessageId.VM_EXITED, payload -> true);
            } finally {
                guest.takePageBack();
                guest.takeTreeBack();
            }
        }));
    }

    @Test
    void whileParcelsChangeHands() {
        atEveryPoint("parcels", ParcelScene::new);
    }

    @Test
    void whileVmsEnd() {
        atEveryPoint("ends", EndScene::new);
    }

    @Test
    void whileItTellsNews() {
        atEveryPoint("news", NewsScene::new);
    }

    @Test
    void whileAnInterruptIsLent() {
        atEveryPoint("interrupt", InterruptScene::new);
    }

    @Test
    void whileTwoVmsAreJoined() {
        atEveryPoint("joined", JoinScene::new);
    }
}
