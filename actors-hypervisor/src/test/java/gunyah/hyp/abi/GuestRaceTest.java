package gunyah.hyp.abi;

import static gunyah.hyp.HypError.ARGUMENT_INVALID;
import static gunyah.hyp.HypError.BUSY;
import static gunyah.hyp.HypError.CSPACE_CAP_NULL;
import static gunyah.hyp.HypError.CSPACE_CAP_REVOKED;
import static gunyah.hyp.HypError.CSPACE_INSUFFICIENT_RIGHTS;
import static gunyah.hyp.HypError.FAILURE;
import static gunyah.hyp.HypError.OK;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.ObjectState;
import gunyah.hyp.ObjectType;
import gunyah.hyp.abi.Script.Form;
import gunyah.hyp.bare.BareMachine;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two vCPUs call at the same time on the same objects; when both are done, the objects are as one after the other. */
@Tag("guest")
class GuestRaceTest {
    private static final int ROUNDS = Integer.getInteger("gunyah.race.rounds", 500);
    private static final long PAGE = Arena.PAGE;
    private static final long PARTIAL = Objects.PARTIAL;
    private static final int SPI = 40;
    private static final int VICTIMS = 140;
    private static final int TO_CHILD = 0;
    private static final int TO_PARENT = 1;
    private static final long POWERED_OFF = 2;
    private static final long EXITED = 1;
    /** What the guest's own end of executing does not change. */
    private static final Set<ObjectType> COMPARED = EnumSet.of(ObjectType.PARTITION, ObjectType.CSPACE,
            ObjectType.DOORBELL, ObjectType.MSGQUEUE, ObjectType.MEMEXTENT);

    private GuestMachine machine;
    private BareMachine root;
    private Arena[] arenas;
    private Script[] scripts;

    @BeforeEach
    void start() {
        machine = new GuestMachine(7, 2, Optional.empty());
        root = machine.bare();
        arenas = new Arena[] {machine.arena(0, 0), machine.arena(1, 1)};
        scripts = new Script[] {new Script(Form.NATIVE, 10), new Script(Form.HVC, 4000)};
    }

    @AfterEach
    void stop() {
        machine.close();
    }

    /** {@return a capability of each vCPU to a root object} */
    private long[] share(long cap) {
        return new long[] {root.grant(cap, machine.vm().cspace(0)), root.grant(cap, machine.vm().cspace(1))};
    }

    /** Executes both scripts; every row must be as expected. */
    private void race() {
        List<String> failures = new ArrayList<>();
        byte[][] tables = {Script.bytes(List.of(scripts[0])), Script.bytes(List.of(scripts[1]))};
        machine.start(0, tables[0]);
        machine.start(1, tables[1]);
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            failures.add(machine.await(vcpu));
        }
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            ByteBuffer table = machine.table(vcpu, tables[vcpu].length);
            failures.addAll(scripts[vcpu].failures(table));
        }
        failures.removeIf(String::isEmpty);
        assertThat(failures).isEmpty();
        System.out.printf("answers in the race: %s, %s%n", scripts[0].answers(), scripts[1].answers());
    }

    private List<ObjectState> objects() {
        return root.hypervisor().state().objects().stream().filter(object -> COMPARED.contains(object.type())).toList();
    }

    @Test
    void aCapabilityIsRevokedAndDeletedWhileAnotherVcpuUsesIt() {
        long other = root.grant(machine.vm().cspace(1), machine.vm().cspace(0));
        long shared = Script.slot(0);
        Script giver = scripts[0];
        long own = arenas[0].cspace();
        for (int i = 0; i < ROUNDS; i++) {
            // a new object each time: its master capability is the giver's
            long master = giver.ok(0x06, arenas[0].partition(), own).saved();
            giver.ok(0x0C, master);
            giver.ok(0x23, own, master, other, Objects.ALL).savesIn(shared);
            giver.ok(0x12, master, 1).where(1, 0);
            giver.ok(0x59, own, master);
            giver.fails(CSPACE_CAP_REVOKED, 0x23, other, shared, other, Objects.ALL);
            giver.ok(0x22, other, shared);
            giver.ok(0x22, own, master);
        }
        for (int i = 0; i < 6 * ROUNDS; i++) {
            // 0 is no id of a cspace: the giver has not begun
            scripts[1].ok(0x12, shared, 2).oneOf(OK, CSPACE_CAP_NULL, CSPACE_CAP_REVOKED, ARGUMENT_INVALID);
            scripts[1].ok(0x23, arenas[1].cspace(), shared, arenas[1].cspace(), 0)
                    .oneOf(CSPACE_INSUFFICIENT_RIGHTS, CSPACE_CAP_NULL, CSPACE_CAP_REVOKED, ARGUMENT_INVALID);
        }
        List<ObjectState> before = objects();

        race();

        assertThat(objects()).isEqualTo(before);
    }

    @Test
    void aPageIsMappedUnmappedAndDonatedWhileAnotherVcpuLoadsFromIt() {
        Arena arena = arenas[0];
        long page = 0x20 * PAGE;
        long child = root.create(0x04);
        root.call(0x32, child, machine.extent(0), page, 2 * PAGE, Objects.SPARSE_RWX);
        root.activate(child);
        long[] children = share(child);
        long[] parents = share(machine.extent(0));
        Script mapper = scripts[0];
        for (int i = 0; i < ROUNDS / 2; i++) {
            mapper.ok(0x2B, arena.addrspace(), parents[0], arena.window(), Objects.MAP_RWX, PARTIAL, page, PAGE);
            mapper.load(arena.window(), 8, arena.word(page));
            mapper.ok(0x61, TO_CHILD, parents[0], children[0], 0, PAGE);
            mapper.loadAborts(arena.window());
            mapper.ok(0x61, TO_PARENT, children[0], parents[0], 0, PAGE);
            mapper.load(arena.window(), 8, arena.word(page));
            mapper.ok(0x2C, arena.addrspace(), parents[0], arena.window(), PARTIAL, page, PAGE);
            mapper.loadAborts(arena.window());
        }
        for (int i = 0; i < 2 * ROUNDS; i++) {
            scripts[1].loadsOrAborts(arena.window(), arena.word(page));
            if (i % 4 == 0) {
                // the other page of the same extents
                scripts[1].ok(0x61, TO_CHILD, parents[1], children[1], PAGE, PAGE);
                scripts[1].ok(0x61, TO_PARENT, children[1], parents[1], PAGE, PAGE);
            }
        }
        List<ObjectState> before = objects();

        race();

        assertThat(objects()).isEqualTo(before);
    }

    @Test
    void messagesKeepTheirOrderWhileInterruptsAreBoundAndUnbound() {
        long queue = root.create(0x07);
        root.call(0x21, queue, 4 | 16 << 16);
        root.activate(queue);
        long[] caps = share(queue);
        long[] vics = share(machine.vm().vic());
        for (int vcpu = 0; vcpu < 2; vcpu++) {
            Script script = scripts[vcpu];
            long buffer = arenas[vcpu].buffer();
            for (int i = 0; i < ROUNDS; i++) {
                if (vcpu == 0) {
                    script.store(buffer, 8, i);
                    script.ok(0x1B, caps[0], 8, buffer, i & 1).eventually();
                } else {
                    script.ok(0x1C, caps[1], buffer, 16).gives(8, 0).where(2, 0).eventually();
                    script.load(buffer, 8, i);
                }
                // both want the same line of the controller
                script.ok(0x17 + vcpu, caps[vcpu], vics[vcpu], SPI).oneOf(OK, BUSY);
                script.ok(0x1F + vcpu, caps[vcpu], 1 + i % 3, -1);
                script.ok(0x19 + vcpu, caps[vcpu]);
            }
            script.ok(0x1F + vcpu, caps[vcpu], vcpu == 0 ? 3 : 1, -1);
        }
        List<ObjectState> before = objects();

        race();

        assertThat(objects()).isEqualTo(before);
    }

    @Test
    void aVcpuIsKilledWhileItRuns() {
        long space = root.newAddrspace(VICTIMS);
        long cspace = root.newCspace(4);
        root.call(0x2B, space, machine.extent(0), Arena.RAM, Objects.MAP_RWX, PARTIAL, 0, PAGE);
        byte[] branchToItself = {0, 0, 0, 0x14};
        root.hypervisor().memory().write(arenas[0].extentPa(), branchToItself, 0, branchToItself.length);
        int count = Math.min(60, ROUNDS / 20);
        for (int i = 0; i < count; i++) {
            long[] victim = share(victim(space, cspace));
            scripts[0].ok(0x65, victim[0], 0, 0, 0).gives(POWERED_OFF, EXITED, 0, 0).eventually();
            scripts[0].ok(0x68, victim[0]).gives(POWERED_OFF, EXITED, 0, 0);
            scripts[0].fails(FAILURE, 0x38, victim[0], Arena.RAM, 0, 0);
            for (int runs = 37 * i % 300; runs > 0; runs--) {
                scripts[1].ok(0x65, victim[1], 0, 0, 0).oneOf(OK, BUSY);
            }
            scripts[1].ok(0x3A, victim[1]);
            scripts[1].ok(0x3A, victim[1]);
        }

        race();

        assertThat(root.hypervisor().statistics(VICTIMS)).hasSize(count)
                .allSatisfy(vcpu -> assertThat(vcpu.state()).isEqualTo("exited"));
    }

    /** {@return a vCPU that is on and waits to be run} */
    private long victim(long space, long cspace) {
        long vic = root.create(0x0A);
        root.call(0x28, vic, 1, 32, 2, 0);
        root.activate(vic);
        long vcpu = root.create(0x05);
        root.call(0x34, vcpu, Objects.PROXY_SCHEDULED);
        root.call(0x3E, cspace, vcpu);
        root.call(0x2A, space, vcpu);
        root.call(0x29, vic, vcpu, 0);
        root.activate(vcpu);
        root.call(0x38, vcpu, Arena.RAM, 0, 0);
        return vcpu;
    }
}
