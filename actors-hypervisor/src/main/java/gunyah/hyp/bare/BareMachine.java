package gunyah.hyp.bare;

import akka.actor.typed.ActorSystem;
import gunyah.config.MachineConfig;
import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.RootVmEnv;
import gunyah.hyp.VcpuWorkFactory;
import gunyah.hyp.trace.TraceSink;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * A machine whose root VM is the caller: objects are made through the root port, by numbers of the hypercall table and
 * the native convention. The caller's thread owns it, and the actor system it lends.
 */
public final class BareMachine implements AutoCloseable {
    /** VMID of the primary VM, see {@link #bootHost}. */
    public static final int HLOS = 3;

    private static final long ALL_RIGHTS = 0xFFFF_FFFFL;
    private static final long PRIMARY_OPTIONS = 1L << 63 | 1 << 8 | 1;
    private static final int PRIMARY_CAPS = 1024;
    private static final int ALL_SPIS = 988;

    private final Hypervisor hypervisor;
    private final HostCpu host = new HostCpu();
    private HypercallPort root;
    private RootVmEnv env;

    /** @param system has this module's dispatchers and no other machine */
    public BareMachine(ActorSystem<?> system, MachineConfig config, RandomGenerator entropy,
            Optional<? extends TraceSink> trace) {
        VcpuWorkFactory works = (vmid, index) -> vmid == HLOS ? Optional.of(host) : Optional.empty();
        hypervisor = Hypervisor.start(system, config, System::nanoTime, entropy, works, (port, newEnv) -> {
            root = port;
            env = newEnv;
        }, trace);
    }

    public Hypervisor hypervisor() {
        return hypervisor;
    }

    public HypercallPort root() {
        return root;
    }

    public RootVmEnv env() {
        return env;
    }

    /** A root hypercall. {@return X0 to X7} */
    public long[] tryCall(int number, long... inputs) {
        long[] x = new long[8];
        System.arraycopy(inputs, 0, x, 0, inputs.length);
        root.call(number, x);
        return x;
    }

    /**
     * A root hypercall that must succeed. {@return X0 to X7}
     *
     * @throws IllegalStateException when it fails
     */
    public long[] call(int number, long... inputs) {
        long[] x = tryCall(number, inputs);
        if (x[0] != 0) {
            throw new IllegalStateException("hypercall 0x%x: %s".formatted(number, HypError.of(x[0])));
        }
        return x;
    }

    /** {@return master capability of a new object, made with a call of partition_create} */
    public long create(int number) {
        return call(number, env.partitionCap(), env.cspaceCap())[1];
    }

    public void activate(long cap) {
        call(0x0C, cap);
    }

    /** {@return number in another cspace of a copy of a root capability, with all its rights} */
    public long grant(long cap, long cspace) {
        return grant(cap, cspace, ALL_RIGHTS);
    }

    /** {@return as above, with these rights} */
    public long grant(long cap, long cspace, long rights) {
        return call(0x23, env.cspaceCap(), cap, cspace, rights)[1];
    }

    /** {@return a capability space in use} */
    public long newCspace(int maxCaps) {
        long cspace = create(0x02);
        call(0x25, cspace, maxCaps);
        activate(cspace);
        return cspace;
    }

    /** {@return an address space in use} */
    public long newAddrspace(int vmid) {
        long addrspace = create(0x03);
        call(0x2E, addrspace, vmid);
        activate(addrspace);
        return addrspace;
    }

    /** {@return what makes a VM, to be told how} */
    public BareVm.Builder vm(int vmid) {
        return new BareVm.Builder(this, vmid);
    }

    /**
     * Makes the primary VM: one vCPU on the first physical CPU, which executes the tasks given to {@link #host}.
     * Returns when it executes.
     */
    public BareVm bootHost() {
        BareVm vm = vm(HLOS).caps(PRIMARY_CAPS).virqs(ALL_SPIS)
                .vcpu(new BareVm.VcpuSpec(PRIMARY_OPTIONS, 0, BareVm.DEFAULT, BareVm.DEFAULT)).build();
        vm.powerOn(0, env.hlosEntry(), env.hlosDtb());
        host.awaitBoot();
        return vm;
    }

    /** {@return the vCPU of the primary VM} */
    public HostCpu host() {
        return host;
    }

    @Override
    public void close() {
        hypervisor.close();
    }
}
