package gunyah.rm.vm;

import gunyah.rm.link.QueuePair;
import gunyah.rm.root.InterruptLines;
import gunyah.rm.vm.GuestObjects.GuestVcpu;
import java.util.function.Consumer;

/** Which of the root VM's lines belong to which VM: requests that wait, answers that can go, vCPUs that halted. */
public final class Connections {
    private final InterruptLines lines;
    private final Consumer<Vm> serve;
    private final VmStop stop;

    /**
     * @param serve  reads the requests that wait in a VM's link
     * @param stop  is told of a vCPU whose halt line fired
     */
    public Connections(InterruptLines lines, Consumer<Vm> serve, VmStop stop) {
        this.lines = lines;
        this.serve = serve;
        this.stop = stop;
    }

    /** Connects a VM's link. */
    public void link(Vm vm, QueuePair queues) {
        lines.connect(queues.rootRxVirq(), () -> serve.accept(vm));
        lines.connect(queues.rootTxVirq(), () -> serve.accept(vm));
    }

    void vcpus(Vm vm) {
        for (GuestVcpu vcpu : vm.built().vcpus()) {
            lines.connect(vcpu.haltVirq(), () -> stop.halted(vm, vcpu));
        }
    }

    void cut(Vm vm) {
        vm.objects.ifPresent(objects -> {
            objects.vcpus().forEach(vcpu -> lines.disconnect(vcpu.haltVirq()));
            objects.rpc().ifPresent(rpc -> {
                lines.disconnect(rpc.queues().rootRxVirq());
                lines.disconnect(rpc.queues().rootTxVirq());
            });
        });
    }
}
