/**
 * Virtual CPUs. {@link gunyah.hyp.vcpu.Vcpu} is the kernel object (configuration, power, block reasons),
 * {@link gunyah.hyp.vcpu.VcpuThread} its scheduling side, {@link gunyah.hyp.vcpu.VcpuActor} the actor whose thread
 * executes it, {@link gunyah.hyp.vcpu.VcpuRun} the proxy scheduling of vcpu_run. A vCPU executes only with a grant of a
 * physical CPU; whatever clears its last block reason announces it there, so no wake-up is lost and nobody polls.
 * Sources: Gunyah hyp/vm/vcpu, hyp/vm/vcpu_run, hyp/core/thread_standard.
 */
package gunyah.hyp.vcpu;
