package gunyah.hyp.trace;

import gunyah.hyp.pcpu.Schedulable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;

/**
 * The trace of one machine. Written by whichever thread does something, without waiting: into the ring of the physical
 * CPU that the thread has, else into the last one. Thread safe.
 */
public final class TraceBuffer implements TraceSink {
    /** A text beside the records: they are of fixed size. */
    private record Note(int id, String text) {
    }

    private static final int RECORDS_LOG2 = 19;
    private static final int NOTES = 1 << 10;

    private final LongSupplier clock;
    private final long startNs;
    private final TraceRing[] rings;
    private final ThreadLocal<Schedulable> current = new ThreadLocal<>();
    private final AtomicReferenceArray<Note> notes = new AtomicReferenceArray<>(NOTES);
    private final AtomicInteger noteCount = new AtomicInteger();
    private volatile IntFunction<String> callNames = number -> "";

    /**
     * Time begins now.
     *
     * @param pcpus physical CPUs; they share half a million records of 64 bytes with the threads that have none
     * @param clock monotonic nanoseconds
     */
    public TraceBuffer(int pcpus, LongSupplier clock) {
        this(pcpus, clock, RECORDS_LOG2 - ceilLog2(pcpus + 1));
    }

    TraceBuffer(int pcpus, LongSupplier clock, int recordsLog2) {
        this.clock = clock;
        this.startNs = clock.getAsLong();
        this.rings = new TraceRing[pcpus + 1];
        for (int i = 0; i <= pcpus; i++) {
            rings[i] = new TraceRing(recordsLog2);
        }
    }

    private static int ceilLog2(int value) {
        return 32 - Integer.numberOfLeadingZeros(value - 1);
    }

    /** {@return its one reader} */
    public TraceReader reader() {
        return new TraceReader(this);
    }

    long now() {
        return clock.getAsLong() - startNs;
    }

    int pcpus() {
        return rings.length - 1;
    }

    TraceRing ring(int index) {
        return rings[index];
    }

    @Override
    public void bind(Schedulable thread) {
        current.set(thread);
    }

    @Override
    public void nameCalls(IntFunction<String> names) {
        callNames = names;
    }

    /** {@return the name of a Gunyah hypercall, empty when there is none of this number} */
    public String callName(int number) {
        return callNames.apply(number);
    }

    /** Keeps a text for a record. {@return its number; the newest thousand are kept} */
    public int note(String text) {
        int id = noteCount.getAndIncrement();
        notes.set(id & NOTES - 1, new Note(id, text));
        return id;
    }

    /** {@return the text, empty when it is gone} */
    public String note(long id) {
        Note note = notes.get((int) id & NOTES - 1);
        return note != null && note.id == (int) id ? note.text : "";
    }

    private TraceRing ofThread() {
        Schedulable thread = current.get();
        var pcpu = thread == null ? null : thread.runningOn();
        return rings[pcpu == null ? pcpus() : pcpu.index()];
    }

    private void write(TraceKind kind, int vmid, int vcpu, int detail, long a, long b, long c) {
        ofThread().write(now(), TraceRecord.what(kind.ordinal(), vmid, vcpu, detail), a, b, c);
    }

    @Override
    public void run(int pcpu, Schedulable thread, Schedulable active) {
        long lender = thread == active ? 0 : 1 + ((long) active.vmid() << 16 | active.vcpuIndex());
        rings[pcpu].write(now(), TraceRecord.what(TraceKind.RUN.ordinal(), thread.vmid(), thread.vcpuIndex(), 0),
                lender, 0, 0);
    }

    @Override
    public void stop(int pcpu, Schedulable thread, Stop reason) {
        rings[pcpu].write(now(), TraceRecord.what(TraceKind.STOP.ordinal(), thread.vmid(), thread.vcpuIndex(),
                reason.ordinal()), 0, 0, 0);
    }

    @Override
    public void hypercall(int vmid, int vcpu, long pc, long function, boolean nativeCall, long result) {
        write(TraceKind.HYPERCALL, vmid, vcpu, nativeCall ? 1 : 0, pc, function, result);
    }

    @Override
    public void stage2Fault(int vmid, int vcpu, long pc, long ipa, int access, Fault fault) {
        write(TraceKind.STAGE2_FAULT, vmid, vcpu, fault.ordinal(), pc, ipa, access);
    }

    @Override
    public void idle(int vmid, int vcpu, long pc) {
        write(TraceKind.WFI, vmid, vcpu, 0, pc, 0, 0);
    }

    @Override
    public void power(int vmid, int vcpu, Power change) {
        write(TraceKind.POWER, vmid, vcpu, change.ordinal(), 0, 0, 0);
    }

    @Override
    public void virq(int vmid, int vcpu, int intid) {
        write(TraceKind.VIRQ, vmid, vcpu, 0, intid, 0, 0);
    }

    /** An event of a layer above. @param kind {@link TraceKind#FIRST_FOREIGN} to 255, which that layer explains */
    public void foreign(int kind, int vmid, long a, long b, long c) {
        ofThread().write(now(), TraceRecord.what(kind, vmid, -1, 0), a, b, c);
    }
}
