package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.WireReader;
import java.util.List;

/** Memory changes hands between the primary VM and a guest in every way, and what is refused half way is as it was. */
final class ParcelScene implements Scene {
    private static final long MEMORY = 0x4300_0000L;
    private static final int HOST = 3;
    private static final int RW = 6;
    private static final int RWX = 7;

    private final RealHost host;
    private Agent vm;
    private int held;

    ParcelScene(RealHost host) {
        this.host = host;
    }

    @Override
    public void prepare(Life life) {
        vm = life.agent(() -> new Agent(host, Agent.tree("alone", 1), 0x4400_0000L));
        vm.start();
        vm.run();
    }

    @Override
    public void act(Life life) {
        life.tries(() -> lend(life));
        life.tries(() -> share(life));
        held = -1;
        life.tries(() -> donate(life));
        if (held >= 0) {
            // What the primary VM was not let go of it gives back once more.
            host.request(MessageId.MEM_RELEASE, new ParcelReturn(held, 0));
        }
        life.tries(() -> refused(life));
    }

    private void lend(Life life) {
        int handle = life.parcel(MessageId.MEM_LEND, ParcelCreate.SANITISE, 5, List.of(new AclEntry(vm.vmid, RWX)),
                new MemRange(MEMORY, 0x2000), new MemRange(MEMORY + 0x4000, 0x1000));
        long ipa = Life.accept(vm, handle, ParcelTransfer.LEND);
        assertThat(vm.store(ipa, 0x55)).isTrue();
        Life.ok(vm, MessageId.MEM_RELEASE, new ParcelReturn(handle, ParcelReturn.SANITISE));
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
        assertThat(host.read(MEMORY)).isZero();
    }

    private void share(Life life) {
        int handle = life.parcel(MessageId.MEM_SHARE, ParcelCreate.MORE_FOLLOWS, 5,
                List.of(new AclEntry(HOST, RW), new AclEntry(vm.vmid, RW)), new MemRange(MEMORY, 0x1000));
        host.ok(MessageId.MEM_APPEND,
                new ParcelAppend(handle, ParcelAppend.LAST, List.of(new MemRange(MEMORY + 0x2000, 0x2000))));
        host.ok(MessageId.MEM_NOTIFY, new ParcelNotify(handle, ParcelNotify.SHARED, 9, List.of(vm.vmid)));
        long ipa = Life.accept(vm, handle, ParcelTransfer.SHARE);
        Life.ok(vm, MessageId.MEM_NOTIFY, new ParcelNotify(handle, ParcelNotify.ACCEPTED, 9, List.of()));
        host.await(MessageId.MEM_ACCEPTED, payload -> true);
        assertThat(vm.store(ipa + 8, 0x66)).isTrue();
        assertThat(host.read(MEMORY + 8)).isEqualTo(0x66);
        Life.ok(vm, MessageId.MEM_RELEASE, new ParcelReturn(handle, 0));
        Life.ok(vm, MessageId.MEM_NOTIFY, new ParcelNotify(handle, ParcelNotify.RELEASED, 9, List.of()));
        host.await(MessageId.MEM_RELEASED, payload -> true);
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
    }

    private void donate(Life life) {
        int given = life.parcel(MessageId.MEM_DONATE, 0, 5, List.of(new AclEntry(vm.vmid, RWX)),
                new MemRange(MEMORY + 0x10_0000, 0x2000), new MemRange(MEMORY + 0x10_4000, 0x1000));
        long ipa = Life.accept(vm, given, ParcelTransfer.DONATE);
        assertThat(vm.store(ipa, 0x77)).isTrue();
        int lent = Life.ok(vm, MessageId.MEM_LEND, new ParcelCreate(0, 0, 5, List.of(new AclEntry(HOST, RW)),
                List.of(new MemRange(ipa, 0x1000)), List.of())).u32();
        held = lent;
        long at = new WireReader(host.ok(MessageId.MEM_ACCEPT,
                Life.acceptance(lent, ParcelTransfer.LEND, List.of()))).skip(4).u64();
        assertThat(host.read(at)).isEqualTo(0x77);
        host.ok(MessageId.MEM_RELEASE, new ParcelReturn(lent, 0));
        Life.ok(vm, MessageId.MEM_RECLAIM, new ParcelReturn(lent, 0));
        int back = Life.ok(vm, MessageId.MEM_DONATE, new ParcelCreate(0, 0, 5, List.of(new AclEntry(HOST, RWX)),
                List.of(new MemRange(ipa, 0x2000)), List.of())).u32();
        host.ok(MessageId.MEM_ACCEPT, Life.acceptance(back, ParcelTransfer.DONATE, List.of()));
    }

    // Changes that are undone half way are undone whole, also when that is interrupted.
    private void refused(Life life) {
        int first = life.parcel(MessageId.MEM_LEND, 0, 5, List.of(new AclEntry(vm.vmid, RWX)),
                new MemRange(MEMORY + 0x20_0000, 0x1000), new MemRange(MEMORY + 0x20_2000, 0x1000));
        RmError error = host.error(MessageId.MEM_LEND, new ParcelCreate(0, 0, 5, List.of(new AclEntry(vm.vmid, RWX)),
                List.of(new MemRange(MEMORY + 0x20_4000, 0x1000), new MemRange(MEMORY + 0x20_0000, 0x1000)),
                List.of()));
        assertThat(error).isIn(RmError.MEM_INVALID, RmError.DENIED);
        error = vm.error(MessageId.MEM_ACCEPT, Life.acceptance(first, ParcelTransfer.LEND,
                List.of(new MemRange(0x1000_0000, 0x1000), new MemRange(GuestTrees.GICD, 0x1000))));
        assertThat(error).isNotEqualTo(RmError.OK);
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(first, 0));
    }
}
