package gunyah.hyp.vic;

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
import org.openjdk.jmh.annotations.Warmup;

/** What an interrupt costs in the controller: assertion, acknowledge, end. */
@State(Scope.Thread)
@BenchmarkMode({Mode.AverageTime, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class VicBenchmark {
    private static final int EDGE = 40;
    private static final int LEVEL = 41;

    private VicBoard board;
    private VicBoard.Source edge;
    private VicBoard.Source level;

    @Setup
    public void start() {
        board = new VicBoard(4, Vic.MAX_SPIS).up();
        board.makeEdge(EDGE, true);
        board.enable(EDGE);
        board.enable(LEVEL);
        edge = board.bound(EDGE);
        level = board.bound(LEVEL);
    }

    /** Assertion of an edge to its acknowledge, and its end. */
    @Benchmark
    public long edgeAssertAcknowledgeEnd() {
        edge.assertVirq(true);
        return acknowledgeAndEnd();
    }

    /** As above for a level that its source no longer holds at the end. */
    @Benchmark
    public long levelAssertAcknowledgeEnd() {
        level.assertVirq(false);
        return acknowledgeAndEnd();
    }

    private long acknowledgeAndEnd() {
        long intid = board.read(0, IccRegister.IAR1);
        board.write(0, IccRegister.EOIR1, intid);
        return intid;
    }
}
