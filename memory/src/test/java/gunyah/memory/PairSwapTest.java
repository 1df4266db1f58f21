package gunyah.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class PairSwapTest {
    private static final int ROUNDS = Integer.getInteger("gunyah.pair-rounds", 200_000);

    private final PhysicalMemory memory = new PhysicalMemory(4096);
    private final long host = memory.hostAddress(64);

    /** One of the two ways. */
    private interface Swap {
        boolean swap(long host, long pair, long low, long high);
    }

    @AfterEach
    void tearDown() {
        memory.close();
    }

    @Test
    void storesWhenThePairIsThere() {
        for (Swap way : new Swap[] {PairSwap::swap, PairSwap::swapLocked}) {
            NativeWords pair = pair(3, -4);
            RawMemory.RAW.putLong(host - 8, 1);
            RawMemory.RAW.putLong(host, 3);
            RawMemory.RAW.putLong(host + 8, -4);
            RawMemory.RAW.putLong(host + 16, 2);

            assertThat(way.swap(host, pair.address(), 0x1122_3344_5566_7788L, 5)).isTrue();

            assertThat(RawMemory.RAW.getLong(host)).isEqualTo(0x1122_3344_5566_7788L);
            assertThat(RawMemory.RAW.getLong(host + 8)).isEqualTo(5);
            assertThat(RawMemory.RAW.getLong(host - 8)).isEqualTo(1);
            assertThat(RawMemory.RAW.getLong(host + 16)).isEqualTo(2);
        }
    }

    @Test
    void saysWhatIsThereInstead() {
        for (Swap way : new Swap[] {PairSwap::swap, PairSwap::swapLocked}) {
            RawMemory.RAW.putLong(host, 3);
            RawMemory.RAW.putLong(host + 8, 4);
            for (NativeWords pair : new NativeWords[] {pair(2, 4), pair(3, 5), pair(4, 3)}) {
                assertThat(way.swap(host, pair.address(), 8, 9)).isFalse();
                assertThat(NativeWords.get(pair.address())).isEqualTo(3);
                assertThat(NativeWords.get(pair.address() + 8)).isEqualTo(4);
            }
            assertThat(RawMemory.RAW.getLong(host)).isEqualTo(3);
            assertThat(RawMemory.RAW.getLong(host + 8)).isEqualTo(4);
        }
    }

    /** The other thread adds to the high word and writes the low word back as it was: a store must never get lost. */
    @Test
    void aPlainStoreByAnotherThreadDoesNotGetLost() throws InterruptedException {
        Assumptions.assumeTrue(PairSwap.isAtomic(), "this host has no such instruction");
        AtomicBoolean done = new AtomicBoolean();
        CountDownLatch begun = new CountDownLatch(1);
        CompletableFuture<Long> swaps = CompletableFuture.supplyAsync(() -> {
            NativeWords pair = pair(0, 0);
            long count = 0;
            while (!done.get()) {
                long low = NativeWords.get(pair.address());
                long high = NativeWords.get(pair.address() + 8);
                if (PairSwap.swap(host, pair.address(), low, high + 1)) {
                    NativeWords.set(pair.address() + 8, high + 1);
                    count++;
                    begun.countDown();
                }
            }
            return count;
        });
        long lost = 0;
        try {
            begun.await();
            for (int round = 1; round <= ROUNDS; round++) {
                RawMemory.RAW.putLongVolatile(host, round);
                for (int look = 0; look < 20; look++) {
                    lost += RawMemory.RAW.getLongVolatile(host) != round ? 1 : 0;
                }
            }
        } finally {
            done.set(true);
        }

        assertThat(lost).isZero();
        long swapped = swaps.join();
        assertThat(RawMemory.RAW.getLong(host + 8)).isEqualTo(swapped);
    }

    private static NativeWords pair(long low, long high) {
        NativeWords words = new NativeWords(2);
        NativeWords.set(words.address(), low);
        NativeWords.set(words.address() + 8, high);
        return words;
    }
}
