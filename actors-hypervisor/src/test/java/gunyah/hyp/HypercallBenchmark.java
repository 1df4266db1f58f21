package gunyah.hyp;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What hypercalls cost behind the guest: table, capabilities, the object's turn; no guest and no vCPU. */
@State(Scope.Thread)
@BenchmarkMode({Mode.AverageTime, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class HypercallBenchmark {
    private static final int DEPTH = 8;
    private static final int MESSAGE = 240;
    private static final long PAGE = 4096;
    private static final long MAP_WB_RWX = 0xF_0077L;

    private final long[] x = new long[8];
    private Machine machine;
    private long doorbell;
    private long queue;
    private long guestSpace;

    @Setup
    public void start() {
        machine = new Machine();
        Machine.must(machine.call(0x2B, machine.rootSpaceCap, machine.rootExtentCap, Machine.RAM, MAP_WB_RWX, 1,
                Machine.RAM, 1 << 20));
        doorbell = machine.create(0x06);
        Machine.must(machine.call(0x0C, doorbell, 0));
        queue = machine.create(0x07);
        Machine.must(machine.call(0x21, queue, DEPTH | (long) MESSAGE << 16));
        Machine.must(machine.call(0x0C, queue, 0));
        guestSpace = machine.addrspace(128);
    }

    @TearDown
    public void stop() {
        machine.close();
    }

    private long call(int number, long a, long b, long c, long d) {
        x[0] = a;
        x[1] = b;
        x[2] = c;
        x[3] = d;
        x[4] = 0;
        x[5] = 0;
        x[6] = 0;
        machine.table.call(machine.caller, number, x);
        return x[0];
    }

    /** hypervisor_identify. */
    @Benchmark
    public long nullHypercall() {
        return call(0x00, 0, 0, 0, 0);
    }

    /** doorbell_send; nothing is bound. */
    @Benchmark
    public long doorbellSend() {
        return call(0x12, doorbell, 1, 0, 0);
    }

    /** msgqueue_send and msgqueue_receive of 240 bytes. */
    @Benchmark
    public long queueSendAndReceive() {
        long sent = call(0x1B, queue, MESSAGE, Machine.RAM, 0);
        return sent + call(0x1C, queue, Machine.RAM + PAGE, MESSAGE, 0);
    }

    /** addrspace_map and addrspace_unmap of one page in an address space without vCPUs. */
    @Benchmark
    public long mapAndUnmap() {
        return mapping(0x2B, MAP_WB_RWX, 1) + mapping(0x2C, 1, Machine.RAM + PAGE);
    }

    private long mapping(int number, long fourth, long fifth) {
        x[0] = guestSpace;
        x[1] = machine.rootExtentCap;
        x[2] = Machine.RAM;
        x[3] = fourth;
        x[4] = fifth;
        x[5] = number == 0x2B ? Machine.RAM + PAGE : PAGE;
        x[6] = number == 0x2B ? PAGE : 0;
        machine.table.call(machine.caller, number, x);
        return x[0];
    }
}
