package gunyah.bench;

import gunyah.bench.BenchGuest.Parameter;
import gunyah.bench.BenchGuest.Program;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;

/**
 * The in-guest benchmarks of the hypervisor. Each method makes its guests on the machine it is given, runs them, and
 * says what their own clocks measured.
 */
final class HypervisorBench {
    private static final int PAGE = 4096;
    private static final int BATCH = 64;
    /** 20 us: longer than what the host's own timer interrupts take, shorter than any slice. */
    private static final int HAND_OVER_TICKS = 1250;
    private static final long HAND_OVER_SLICE_NS = 1_000_000;

    private final BenchMachine machine;

    HypervisorBench(BenchMachine machine) {
        this.machine = machine;
    }

    /** Time between two readings of the counter: part of every sample of one call. */
    Figure emptySample(int samples) {
        return solo("reading the clock twice (in every single sample)", "", samples, 1, Program.NOTHING);
    }

    /** hypervisor_identify by the native convention. */
    Figure nullCall(int samples, boolean batch) {
        return solo(batch ? "null hypercall, native, mean of 64" : "null hypercall, native", batch ? "<= 0.5 us" : "",
                samples, batch ? BATCH : 1, Program.NATIVE);
    }

    /** hypervisor_identify by SMCCC. */
    Figure nullSmccc(int samples) {
        return solo("null hypercall, SMCCC, mean of 64", "<= 0.5 us", samples, BATCH, Program.SMCCC, 0xC600_8000L);
    }

    /** doorbell_send on a doorbell that is bound to nothing: table, capability and one actor's turn. */
    Figure doorbellCall(int samples) {
        BenchGuest guest = new BenchGuest(machine, 0);
        long bell = machine.activated(0x06);
        return run(guest, "doorbell_send, SMCCC, nobody listens, mean of 64", "", samples, BATCH, Program.SMCCC,
                0xC600_8012L, guest.vm().grant(bell), 1);
    }

    /** msgqueue_receive of an empty queue. */
    Figure emptyReceive(int samples) {
        BenchGuest guest = new BenchGuest(machine, 0);
        long queue = queue(8, 240);
        return run(guest, "msgqueue_receive, SMCCC, empty, mean of 64", "", samples, BATCH, Program.SMCCC,
                0xC600_801CL, guest.vm().grant(queue), BenchGuest.SAMPLES, 240);
    }

    private Figure solo(String name, String goal, int samples, int inner, Program program, long... call) {
        return run(new BenchGuest(machine, 0), name, goal, samples, inner, program, call);
    }

    private Figure run(BenchGuest guest, String name, String goal, int samples, int inner, Program program,
            long... call) {
        guest.set(0, Parameter.COUNT, samples);
        guest.set(0, Parameter.INNER, inner);
        for (int i = 0; i < call.length; i++) {
            guest.set(0, Parameter.values()[Parameter.CALL.ordinal() + i], call[i]);
        }
        guest.start(0, program);
        guest.awaitDone(0);
        guest.kill();
        return Figure.of(name, goal, inner, secondHalf(guest.durations(samples)));
    }

    private static long[] secondHalf(long[] samples) {
        return Arrays.copyOfRange(samples, samples.length / 2, samples.length);
    }

    private long queue(int depth, int size) {
        long queue = machine.bare().create(0x07);
        machine.bare().call(0x21, queue, depth | (long) size << 16);
        machine.bare().activate(queue);
        return queue;
    }

    /**
     * Sends messages from one guest to another; the receiver checks every sequence number.
     *
     * @param sleep wait for the interrupt in WFI; otherwise spinning, with interrupts open
     * @return nanoseconds from one message to the next, means of 64
     */
    Figure messages(int count, int depth, int size, boolean sleep) {
        BenchGuest sender = new BenchGuest(machine, 0);
        BenchGuest receiver = new BenchGuest(machine, 1);
        long queue = queue(depth, size);
        sender.bind(0x17, queue);
        receiver.bind(0x18, queue);
        for (BenchGuest guest : List.of(sender, receiver)) {
            guest.set(0, Parameter.COUNT, count);
            guest.set(0, Parameter.CAP, guest.vm().grant(queue));
            guest.set(0, Parameter.SIZE, size);
            guest.set(0, Parameter.SLEEP, sleep ? 1 : 0);
        }
        receiver.start(0, Program.RECEIVE);
        receiver.awaitReady(0);
        sender.start(0, Program.SEND);
        sender.awaitDone(0);
        receiver.awaitDone(0);
        long[] times = receiver.times(count / BATCH);
        sender.kill();
        receiver.kill();
        long[] gaps = new long[times.length - 1];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = times[i + 1] - times[i];
        }
        return Figure.of("message of %d bytes to the next, depth %d, %s, mean of 64".formatted(size, depth,
                sleep ? "both sleep in WFI" : "both poll"), "", BATCH, gaps);
    }

    /** Doorbell send in one guest to the first instruction of the handler in another, on two physical CPUs. */
    Figure doorbell(int rings, boolean sleep) {
        BenchGuest first = new BenchGuest(machine, 0);
        BenchGuest second = new BenchGuest(machine, 1);
        long there = machine.activated(0x06);
        long back = machine.activated(0x06);
        second.bind(0x10, there);
        first.bind(0x10, back);
        first.set(0, Parameter.CAP, first.vm().grant(there));
        first.set(0, Parameter.PEER, first.vm().grant(back));
        second.set(0, Parameter.CAP, second.vm().grant(back));
        second.set(0, Parameter.PEER, second.vm().grant(there));
        for (BenchGuest guest : List.of(first, second)) {
            guest.set(0, Parameter.COUNT, rings);
            guest.set(0, Parameter.SLEEP, sleep ? 1 : 0);
        }
        second.start(0, Program.ANSWER);
        second.awaitReady(0);
        first.start(0, Program.RING);
        first.awaitDone(0);
        second.awaitDone(0);
        long[] sent = first.times(rings);
        long[] taken = second.times(rings);
        for (int i = 0; i < rings; i++) {
            taken[i] -= sent[i];
        }
        first.kill();
        second.kill();
        return Figure.of("doorbell to handler, receiver " + (sleep ? "in WFI" : "executing"), "", secondHalf(taken));
    }

    /** Two guests that never stop share one physical CPU: end of the one's slice to the other's first instruction. */
    Figure handOver(int switches) {
        BenchGuest[] hogs = {new BenchGuest(machine, HAND_OVER_SLICE_NS, 0),
                new BenchGuest(machine, HAND_OVER_SLICE_NS, 0)};
        for (BenchGuest hog : hogs) {
            hog.set(0, Parameter.COUNT, switches);
            hog.set(0, Parameter.ADDRESS, HAND_OVER_TICKS);
            hog.start(0, Program.HOG);
        }
        long[][] gaps = new long[2][];
        for (int i = 0; i < 2; i++) {
            hogs[i].awaitDone(0);
            gaps[i] = hogs[i].times(2 * switches);
            hogs[i].kill();
        }
        return Figure.of("slice hand-over between two guests that never stop", "",
                secondHalf(handOvers(gaps[0], gaps[1])));
    }

    /**
     * A guest stops when a gap of its begins, and the other had a gap then which ends a little later: that is one
     * hand-over. Gaps that the host made do not overlap so.
     *
     * @param a pairs: last time before a gap, first time after it
     */
    private static long[] handOvers(long[] a, long[] b) {
        LongStream.Builder found = LongStream.builder();
        for (int i = 0, j = 0; i < a.length && j < b.length;) {
            boolean overlap = a[i] < b[j + 1] && b[j] < a[i + 1];
            if (overlap && b[j] < a[i] && b[j + 1] < a[i + 1]) {
                found.add(b[j + 1] - a[i]);
            } else if (overlap && a[i] < b[j] && a[i + 1] < b[j + 1]) {
                found.add(a[i + 1] - b[j]);
            }
            if (a[i + 1] < b[j + 1]) {
                i += 2;
            } else {
                j += 2;
            }
        }
        return found.build().toArray();
    }

    /** A read of a device register: to the host's vCPU by vcpu_run and back. */
    Figure vmmio(int reads) {
        BenchGuest guest = new BenchGuest(machine, -1);
        guest.set(0, Parameter.COUNT, reads);
        guest.set(0, Parameter.ADDRESS, BenchGuest.DEVICE);
        long cap = machine.grantToHost(guest.vm().vcpu(0));
        CompletableFuture<Void> proxy = machine.onHostCpu(port -> {
            long[] x = new long[8];
            while (!guest.isDone(0)) {
                Arrays.fill(x, 0);
                x[0] = cap;
                port.call(0x65, x);
            }
        });
        guest.start(0, Program.DEVICE);
        guest.awaitDone(0);
        proxy.join();
        guest.kill();
        return Figure.of("VMMIO read, guest to proxy and back", "", secondHalf(guest.durations(reads)));
    }

    /** Maps and unmaps one page of an address space in which so many vCPUs execute. {@return map, unmap} */
    List<Figure> mapping(int rounds, int running) {
        BenchGuest guest = new BenchGuest(machine, running == 2 ? new int[] {0, 1} : new int[] {1});
        for (int vcpu = 0; vcpu < running; vcpu++) {
            guest.start(vcpu, Program.SPIN);
            guest.awaitReady(vcpu);
        }
        long page = machine.block();
        long ipa = BenchGuest.RAM + (4 << 20);
        long[] map = new long[rounds];
        long[] unmap = new long[rounds];
        for (int i = 0; i < rounds; i++) {
            long begin = System.nanoTime();
            guest.vm().map(ipa, page, PAGE);
            long mapped = System.nanoTime();
            guest.vm().unmap(ipa, page, PAGE);
            map[i] = mapped - begin;
            unmap[i] = System.nanoTime() - mapped;
        }
        guest.kill();
        String where = "%d vCPUs executing".formatted(running);
        return List.of(Figure.of("map a page, " + where, "", secondHalf(map)),
                Figure.of("unmap a page with shoot-down, " + where, "", secondHalf(unmap)));
    }
}
