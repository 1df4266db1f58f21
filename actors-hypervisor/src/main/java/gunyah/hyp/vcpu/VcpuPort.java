package gunyah.hyp.vcpu;

import gunyah.hyp.Caller;
import gunyah.hyp.JavaCaller;
import gunyah.hyp.PortOfVm;

/**
 * The hypercall port of a vCPU that executes Java. On the vCPU's own thread the calls count as its own; on any other
 * thread they are the VM's.
 */
final class VcpuPort extends PortOfVm {
    private final Vcpu vcpu;
    private final JavaCaller onThread;

    VcpuPort(Vcpu vcpu) {
        super(vcpu.machine().table(), vcpu.machine().smccc(), vcpu.cspace(), vcpu.addrspace(),
                vcpu.vic()::deliverTo);
        this.vcpu = vcpu;
        this.onThread = new JavaCaller(vcpu.cspace(), vcpu.addrspace(), vcpu);
    }

    @Override
    protected Caller caller() {
        return vcpu.thread().isCurrentThread() ? onThread : super.caller();
    }
}
