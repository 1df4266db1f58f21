package gunyah.hyp.vcpu;

import gunyah.arm64.InnerShareable;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.translate.Translator;
import gunyah.hyp.HypError;
import gunyah.hyp.VcpuWork;
import gunyah.hyp.VcpuWorkFactory;
import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.StageTwoObservers;
import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.memory.PhysicalMemory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes engines: Java work where the wiring supplies it for a vCPU flagged hlos_vm, A64 everywhere else. The A64 CPUs of
 * one address space share an inner shareable domain, which hears of stale stage-2 translations. Thread safe.
 */
public final class EngineFactory implements Machine.Engines {
    private final PhysicalMemory memory;
    private final VcpuWorkFactory works;
    private final CpuFeatures features;
    private final Translator translator;
    private final List<VdeviceRegion> devices;
    private final Map<Addrspace, Domain> domains = new HashMap<>();

    private static final class Domain {
        final InnerShareable shareable;
        int cpus;

        Domain(CpuFeatures features, Translator translator) {
            shareable = new InnerShareable(features, translator);
        }
    }

    /**
     * @param features   what every A64 CPU of the machine has
     * @param translator makes JVM code of hot guest code, for all VMs; null to interpret only
     * @param devices    of the primary VM, when that executes guest code
     */
    public EngineFactory(PhysicalMemory memory, VcpuWorkFactory works, CpuFeatures features, Translator translator,
            List<VdeviceRegion> devices) {
        this.devices = List.copyOf(devices);
        this.memory = memory;
        this.works = works;
        this.features = features;
        this.translator = translator;
    }

    @Override
    public VcpuEngine engineOf(Vcpu vcpu) {
        if (vcpu.options().hlos()) {
            Optional<VcpuWork> work = works.forVcpu(vcpu.addrspace().vmid(), vcpu.index());
            if (work.isPresent()) {
                vcpu.vic().becomeJava();
                return new JavaEngine(vcpu, work.get());
            }
        }
        return a64(vcpu);
    }

    private synchronized VcpuEngine a64(Vcpu vcpu) {
        Addrspace addrspace = vcpu.addrspace();
        Domain domain = domains.get(addrspace);
        if (domain == null) {
            domain = new Domain(features, translator);
            domains.put(addrspace, domain);
            addrspace.observers(observers(domain.shareable));
            if (vcpu.options().hlos()) {
                devices.forEach(device -> connect(addrspace, device));
            }
        }
        domain.cpus++;
        return new A64Engine(vcpu, features, domain.shareable, memory, () -> left(addrspace));
    }

    private static void connect(Addrspace addrspace, VdeviceRegion device) {
        if (addrspace.addVdevice(device) != HypError.OK) {
            throw new IllegalStateException("the primary VM has something at 0x%x already".formatted(device.base()));
        }
    }

    private synchronized void left(Addrspace addrspace) {
        Domain domain = domains.get(addrspace);
        domain.cpus--;
        if (domain.cpus == 0) {
            domains.remove(addrspace);
            addrspace.observers(StageTwoObservers.NONE);
        }
    }

    private static StageTwoObservers observers(InnerShareable domain) {
        return new StageTwoObservers() {
            @Override
            public void requestSync() {
                domain.requestStage2Sync();
            }

            @Override
            public boolean synced(int epoch) {
                return domain.stage2Synced(epoch);
            }
        };
    }
}
