package gunyah.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The benchmarks' guests do what they are meant to do, in short runs. */
@Tag("guest")
class HypervisorBenchTest {
    private static BenchMachine machine;
    private static HypervisorBench bench;

    @BeforeAll
    static void start() {
        machine = new BenchMachine(2);
        bench = new HypervisorBench(machine);
    }

    @AfterAll
    static void stop() {
        machine.close();
    }

    @Test
    void messagesArriveOnceAndInOrderWhoeverSleeps() {
        for (boolean sleep : new boolean[] {false, true}) {
            for (int depth : new int[] {1, 8, 64}) {
                // the receiving guest counts a wrong sequence number as an error, which fails the run
                assertThat(bench.messages(2_048, depth, 16, sleep).median()).isPositive();
            }
        }
    }

    @Test
    void everyDoorbellReachesItsHandler() {
        for (boolean sleep : new boolean[] {false, true}) {
            assertThat(bench.doorbell(200, sleep).median()).isPositive();
        }
    }

    @Test
    void hypercallsAndDeviceReadsReturn() {
        List<Figure> figures = List.of(bench.emptySample(200), bench.nullCall(200, false), bench.nullCall(20, true),
                bench.nullSmccc(20), bench.doorbellCall(20), bench.emptyReceive(20), bench.vmmio(200));
        assertThat(figures).allSatisfy(figure -> assertThat(figure.median()).isPositive());
    }

    @Test
    void twoGuestsThatNeverStopHandTheirProcessorOver() {
        assertThat(bench.handOver(40).count()).isPositive();
    }

    @Test
    void pagesComeAndGoUnderExecutingVcpus() {
        for (int running = 0; running <= 2; running++) {
            assertThat(bench.mapping(50, running)).hasSize(2);
        }
    }
}
