package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.IrqAccept;
import gunyah.rm.rpc.IrqHandle;
import gunyah.rm.rpc.IrqLend;
import gunyah.rm.rpc.IrqNotify;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.WireReader;
import java.util.List;

/** A hardware interrupt is lent, taken by the guest, released and reclaimed. */
final class InterruptScene implements Scene {
    private static final int IRQ = 48;

    private final RealHost host;
    private Agent vm;
    private int handle;

    InterruptScene(RealHost host) {
        this.host = host;
    }

    @Override
    public void prepare(Life life) {
        vm = life.agent(() -> new Agent(host, Agent.tree("alone", 1), 0x4400_0000L));
        vm.start();
        vm.run();
        vm.enable(IRQ);
    }

    @Override
    public void act(Life life) {
        life.tries(() -> {
            handle = new WireReader(host.ok(MessageId.VM_IRQ_LEND, new IrqLend(vm.vmid, IRQ, 7))).u32();
            host.ok(MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.LENT, List.of(vm.vmid)));
            Life.ok(vm, MessageId.VM_IRQ_ACCEPT, new IrqAccept(handle, IrqAccept.ANY));
            Life.ok(vm, MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.ACCEPTED, List.of()));
            host.await(MessageId.VM_IRQ_ACCEPTED, payload -> true);
            host.hypervisor.hardwareLine(IRQ).raise();
            assertThat(vm.awaitInterrupt()).isEqualTo(IRQ);
            host.hypervisor.hardwareLine(IRQ).lower();
        });
        life.tries(() -> {
            Life.ok(vm, MessageId.VM_IRQ_RELEASE, new IrqHandle(handle));
            Life.ok(vm, MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.RELEASED, List.of()));
            host.await(MessageId.VM_IRQ_RELEASED, payload -> true);
        });
        life.tries(() -> host.ok(MessageId.VM_IRQ_RECLAIM, new IrqHandle(handle)));
        // Whatever was refused: released again it can be reclaimed, and the primary VM has its interrupt.
        vm.request(MessageId.VM_IRQ_RELEASE, new IrqHandle(handle));
        host.request(MessageId.VM_IRQ_RECLAIM, new IrqHandle(handle));
        host.fired.remove(IRQ);
        host.hypervisor.hardwareLine(IRQ).raise();
        host.awaitFired(IRQ);
        host.hypervisor.hardwareLine(IRQ).lower();
    }
}
