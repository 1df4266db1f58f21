package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.StageTwoObservers;
import gunyah.memory.RawMemory;
import gunyah.memory.Stage2Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StageTwoSyncTest {
    private static final long PAGE = 0x1000;
    private static final long P0 = Machine.RAM + 0x10_0000;
    private static final long IPA = 0x8000_0000L;
    private static final long RWX_WB = 0xF_0077L;
    private static final long NO_SYNC = 0x8000_0000L;

    private final Machine m = new Machine();

    @AfterEach
    void close() {
        m.close();
    }

    /** A vCPU that stays in guest code until it is told to look. */
    private static final class Vcpu implements StageTwoObservers {
        private final AtomicInteger requests = new AtomicInteger();
        private volatile int seen;

        @Override
        public void requestSync() {
            requests.incrementAndGet();
        }

        @Override
        public boolean synced(int epoch) {
            return seen - epoch >= 0;
        }
    }

    @Test
    @Invariant(19)
    void theTakerGetsAPageOnlyAfterTheGiversVcpusLetGo() throws Exception {
        long host = m.derived(m.rootExtentCap, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        long guest = m.derived(host, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        Machine.must(m.call(0x61, 0, m.rootExtentCap, host, P0, PAGE, 0));
        Machine.must(m.call(0x2B, m.rootSpaceCap, host, IPA, RWX_WB, 1, P0, PAGE));
        Vcpu vcpu = new Vcpu();
        m.rootSpace.observers(vcpu);
        try (ExecutorService pool = Executors.newSingleThreadExecutor()) {
            Future<Long> donation = pool.submit(() -> m.call(0x61, 3, host, guest, P0, PAGE, 0));
            await().atMost(60, TimeUnit.SECONDS).until(() -> m.owners.owner(P0) == IdSource.IN_TRANSIT);
            assertThat(vcpu.requests.get()).isEqualTo(1);
            assertThat(m.rootSpace.stage2().lookup(IPA)).isZero();
            assertThat(donation.isDone()).isFalse();
            // others are not held up
            Machine.must(m.call(0x61, 0, m.rootExtentCap, host, P0 + PAGE, PAGE, 0));
            assertThat(m.call(0x61, 3, host, guest, P0, PAGE, 0)).isEqualTo(HypError.MEMDB_NOT_OWNER.code());

            vcpu.seen = m.rootSpace.stage2().epoch();

            assertThat(donation.get(60, TimeUnit.SECONDS)).isZero();
            assertThat(m.owners.owner(P0)).isEqualTo(m.object(guest).id());
        }
    }

    @Test
    void noSyncAsksTheVcpusButDoesNotWait() {
        Machine.must(m.call(0x2B, m.rootSpaceCap, m.rootExtentCap, IPA, RWX_WB, 1, P0, 2 * PAGE));
        Vcpu vcpu = new Vcpu();
        m.rootSpace.observers(vcpu);
        Machine.must(m.call(0x2C, m.rootSpaceCap, m.rootExtentCap, IPA, 1 | NO_SYNC, P0, PAGE));
        assertThat(vcpu.requests.get()).isEqualTo(1);
        // mapping something new makes nothing stale
        Machine.must(m.call(0x2B, m.rootSpaceCap, m.rootExtentCap, IPA, RWX_WB, 1, P0, PAGE));
        assertThat(vcpu.requests.get()).isEqualTo(1);
        vcpu.seen = m.rootSpace.stage2().epoch() + 1;
        Machine.must(m.call(0x30, m.rootExtentCap, 255, 0, 0));
        Machine.must(m.call(0x2C, m.rootSpaceCap, m.rootExtentCap, IPA, 1, P0, PAGE));
        assertThat(vcpu.requests.get()).isEqualTo(2);
    }

    @Test
    @Invariant(20)
    void aPageIsNeverSeenByTwoVmsWhenManyThreadsPageInAndOut() throws Exception {
        long host = m.derived(m.rootExtentCap, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        long hostSpaceCap = m.addrspace(3);
        int pages = 64;
        Machine.must(m.call(0x61, 0, m.rootExtentCap, host, P0, pages * PAGE, 0));
        Machine.must(m.call(0x2B, hostSpaceCap, host, P0, RWX_WB, 1, P0, pages * PAGE));
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger leaks = new AtomicInteger();
        Addrspace hostSpace = (Addrspace) m.object(hostSpaceCap);
        Thread reader = Thread.ofPlatform().start(() -> {
            Random random = new Random(4);
            byte[] bytes = new byte[16];
            while (!stop.get()) {
                long ipa = P0 + random.nextInt(pages) * PAGE;
                if (hostSpace.view().tryRead(ipa, bytes, 0, 16) == HypError.OK && bytes[3] != 0) {
                    leaks.incrementAndGet();
                }
            }
        });
        List<Thread> pagers = new ArrayList<>();
        AtomicInteger failures = new AtomicInteger();
        for (int t = 0; t < 3; t++) {
            long guest = m.derived(host, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
            long space = m.addrspace(0x80 + t);
            Machine.must(m.call(0x60, space, IPA, 0x1000_0000L, 2, 0));
            int seed = t;
            pagers.add(Thread.ofPlatform().start(() -> page(host, guest, space, pages, new Random(seed), failures)));
        }
        for (Thread pager : pagers) {
            pager.join();
        }
        stop.set(true);
        reader.join();
        assertThat(failures.get()).isZero();
        assertThat(leaks.get()).isZero();
        assertThat(m.owners.count(m.object(host).id())).isEqualTo(pages);
        for (int i = 0; i < pages; i++) {
            assertThat(Stage2Table.pa(hostSpace.stage2().lookup(P0 + i * PAGE))).isEqualTo(P0 + i * PAGE);
        }
    }

    private void page(long host, long guest, long space, int pages, Random random, AtomicInteger failures) {
        for (int i = 0; i < 1500; i++) {
            long pa = P0 + random.nextInt(pages) * PAGE;
            long ipa = IPA + random.nextInt(pages) * PAGE;
            long taken = m.call(0x61, 3, host, guest, pa, PAGE, 0);
            if (taken == HypError.MEMDB_NOT_OWNER.code()) {
                continue;
            }
            boolean ok = taken == 0;
            ok &= m.call(0x2B, space, guest, ipa, RWX_WB, 3, pa, PAGE) == 0;
            long host4 = m.memory.hostAddress(pa);
            ok &= RawMemory.RAW.getLong(host4) == 0;
            RawMemory.RAW.putLong(host4, -1);
            ok &= m.call(0x69, space, ipa, PAGE, 1) == 0;
            ok &= m.call(0x2C, space, guest, ipa, 3, pa, PAGE) == 0;
            ok &= m.call(0x61, 4, guest, host, pa, PAGE, 0) == 0;
            if (!ok) {
                failures.incrementAndGet();
            }
        }
    }

    @Test
    void anInterruptedCallerStillGetsItsAnswerAndKeepsTheFlag() {
        long bell = m.create(0x06);
        Machine.must(m.call(0x0C, bell, 0));
        Thread.currentThread().interrupt();
        for (int i = 0; i < 10; i++) {
            Machine.must(m.call(0x12, bell, 1, 0));
        }
        assertThat(Thread.interrupted()).isTrue();
    }
}
