package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.ExitRequest;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import java.util.List;

/** A VM that is stopped and one that leaves by itself go; the first has memory of others, and others have its. */
final class EndScene implements Scene {
    private static final long MEMORY = 0x4300_0000L;
    private static final int HOST = 3;
    private static final int RW = 6;
    private static final int RWX = 7;

    private final RealHost host;
    private Agent stopped;
    private Agent leaving;
    private int heldByHost;

    EndScene(RealHost host) {
        this.host = host;
    }

    @Override
    public void prepare(Life life) {
        stopped = life.agent(() -> new Agent(host, Agent.tree("stopped", 1), 0x4400_0000L));
        leaving = life.agent(() -> new Agent(host, Agent.tree("leaving", 2), 0x4500_0000L));
        for (Agent vm : List.of(stopped, leaving)) {
            vm.start();
            vm.run();
        }
        int given = life.parcel(MessageId.MEM_DONATE, 0, 5, List.of(new AclEntry(stopped.vmid, RWX)),
                new MemRange(MEMORY + 0x10_0000, 0x3000), new MemRange(MEMORY + 0x10_4000, 0x1000));
        long ipa = Life.accept(stopped, given, ParcelTransfer.DONATE);
        heldByHost = lend(ipa, HOST);
        host.ok(MessageId.MEM_ACCEPT, Life.acceptance(heldByHost, ParcelTransfer.LEND, List.of()));
        lend(ipa + 0x1000, HOST);
        int lent = life.parcel(MessageId.MEM_LEND, 0, 5, List.of(new AclEntry(stopped.vmid, RWX)),
                new MemRange(MEMORY, 0x2000), new MemRange(MEMORY + 0x4000, 0x1000));
        Life.accept(stopped, lent, ParcelTransfer.LEND);
    }

    private int lend(long ipa, int vmid) {
        return Life.ok(stopped, MessageId.MEM_LEND, new ParcelCreate(0, 0, 5, List.of(new AclEntry(vmid, RW)),
                List.of(new MemRange(ipa, 0x1000)), List.of())).u32();
    }

    @Override
    public void act(Life life) {
        life.tries(() -> host.ok(MessageId.VM_STOP, new StopRequest(stopped.vmid, 1, 3)));
        life.tries(() -> {
            try {
                leaving.request(MessageId.VM_EXIT, new ExitRequest(0, 0));
            } catch (RealHost.Ended asked) {
                // The answer may find nobody any more.
                assertThat(asked).isNotNull();
            }
        });
        for (Agent vm : List.of(stopped, leaving)) {
            life.tries(() -> {
                host.await(MessageId.VM_EXITED, payload -> payload[0] == (byte) vm.vmid);
                host.ok(MessageId.VM_RESET, new VmRequest(vm.vmid));
                host.awaitState(vm.vmid, VmState.RESET);
            });
        }
        life.tries(() -> host.ok(MessageId.MEM_RELEASE, new ParcelReturn(heldByHost, 0)));
        for (Agent vm : List.of(stopped, leaving)) {
            vm.handles().forEach(handle ->
                    life.tries(() -> host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))));
        }
        life.tries(() -> host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(leaving.vmid)));
        host.request(MessageId.MEM_RELEASE, new ParcelReturn(heldByHost, 0));
    }
}
