package gunyah.hyp.vcpu;

import gunyah.hyp.HypercallTable;
import gunyah.hyp.Smccc;
import gunyah.hyp.pcpu.HostCores;
import gunyah.hyp.pcpu.Pcpu;
import gunyah.hyp.timer.Alarms;
import gunyah.hyp.timer.SystemCounter;
import gunyah.hyp.trace.TraceSink;
import java.util.List;
import java.util.function.Consumer;

/**
 * What all vCPUs of one hypervisor share. Made by the composition root; {@link #connect} closes the circle between
 * vCPUs, which make hypercalls, and the table, whose rows make vCPUs.
 */
public final class Machine {
    /** Makes the engine of a vCPU that is being activated. */
    public interface Engines {
        VcpuEngine engineOf(Vcpu vcpu);
    }

    private final List<Pcpu> pcpus;
    private final HostCores cores;
    private final Alarms alarms;
    private final SystemCounter counter;
    private final long timesliceNs;
    private final TraceSink trace;
    private final VmRegistry registry = new VmRegistry();
    private Engines engines;
    private VcpuStarter starter;
    private HypercallTable table;
    private Smccc smccc;
    private Consumer<PowerEvent> power = event -> { };
    private Consumer<String> failure = reason -> { };

    /** Starts the actor of a vCPU and connects it with {@link Vcpu#started}; may answer later. */
    @FunctionalInterface
    public interface VcpuStarter {
        void start(Vcpu vcpu);
    }

    /** What a critical VM asks of the machine. */
    public enum PowerEvent { OFF, RESET }

    /**
     * @param timesliceNs default slice of a thread
     * @param trace       null for none
     */
    public Machine(List<Pcpu> pcpus, HostCores cores, Alarms alarms, SystemCounter counter, long timesliceNs,
            TraceSink trace) {
        this.pcpus = List.copyOf(pcpus);
        this.cores = cores;
        this.alarms = alarms;
        this.counter = counter;
        this.timesliceNs = timesliceNs;
        this.trace = trace;
    }

    /** Completes the machine; once, before the first vCPU is activated. */
    public void connect(Engines newEngines, VcpuStarter newStarter, HypercallTable newTable, Smccc newSmccc) {
        engines = newEngines;
        starter = newStarter;
        table = newTable;
        smccc = newSmccc;
    }

    /** Names who hears when a critical VM powers the machine off; any thread may tell it. */
    public void onPower(Consumer<PowerEvent> listener) {
        power = listener;
    }

    /** Names who hears, and why, when something failed that the whole machine depends on; any thread may tell it. */
    public void onFailure(Consumer<String> listener) {
        failure = listener;
    }

    /** Something failed that the whole machine depends on: no VM can go on. */
    public void failed(String reason) {
        failure.accept(reason);
    }

    /** {@return the CPU of this index, or null} */
    Pcpu pcpu(int index) {
        return index >= 0 && index < pcpus.size() ? pcpus.get(index) : null;
    }

    HostCores cores() {
        return cores;
    }

    Alarms alarms() {
        return alarms;
    }

    SystemCounter counter() {
        return counter;
    }

    long timesliceNs() {
        return timesliceNs;
    }

    /** {@return who hears of events, or null} */
    public TraceSink trace() {
        return trace;
    }

    /** {@return the vCPUs of every VM} */
    public VmRegistry registry() {
        return registry;
    }

    Engines engines() {
        return engines;
    }

    VcpuStarter starter() {
        return starter;
    }

    HypercallTable table() {
        return table;
    }

    Smccc smccc() {
        return smccc;
    }

    void power(PowerEvent event) {
        power.accept(event);
    }
}
