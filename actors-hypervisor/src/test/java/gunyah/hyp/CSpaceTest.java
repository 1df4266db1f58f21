package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.cspace.CSpace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class CSpaceTest {
    private static final class Thing extends KernelObject {
        private final AtomicInteger destroyed = new AtomicInteger();

        Thing(int id) {
            super(ObjectType.DOORBELL, id);
        }

        @Override
        protected void describe(StateText text) {
            text.put("destroyed", destroyed.get());
        }

        @Override
        protected HypError onActivate() {
            return HypError.OK;
        }

        @Override
        protected void onDestroy() {
            destroyed.incrementAndGet();
        }
    }

    private static CSpace cspace(int id, long seed, int caps) {
        CSpace cspace = new CSpace(id, new Random(seed));
        cspace.retain();
        cspace.configure(caps);
        cspace.activate();
        return cspace;
    }

    private static CapResult look(CSpace cspace, long cap, int rights) {
        CapResult result = cspace.resolve(cap, ObjectType.DOORBELL, rights, RequiredState.ANY);
        if (result instanceof KernelObject object) {
            object.release();
        }
        return result;
    }

    private static long copy(CSpace from, long cap, CSpace to, int mask) {
        long[] x = new long[2];
        HypError error = from.copyTo(cap, to, mask, x);
        return error == HypError.OK ? x[1] : -error.code();
    }

    @Test
    @Invariant(14)
    void idsDifferPerCspaceAndUnknownOnesDoNotResolve() {
        CSpace a = cspace(1, 5, 1000);
        CSpace b = cspace(2, 6, 1000);
        Set<Long> ids = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            long id = a.insertMaster(new Thing(100 + i));
            assertThat(ids.add(id)).isTrue();
            assertThat(look(b, id, 0)).isInstanceOf(HypError.class);
            assertThat(id).isNotEqualTo(CSpace.INVALID);
        }
        Random random = new Random(7);
        for (int i = 0; i < 100_000; i++) {
            long guess = random.nextLong();
            if (!ids.contains(guess)) {
                assertThat(look(a, guess, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
            }
        }
    }

    @Test
    @Invariant(17)
    void aCspaceHoldsItsLimitAndNotMore() {
        CSpace a = cspace(1, 5, 3);
        assertThat(a.configure(1 << 20)).isEqualTo(HypError.ARGUMENT_INVALID);
        long first = a.insertMaster(new Thing(10));
        a.insertMaster(new Thing(11));
        a.insertMaster(new Thing(12));
        assertThat(a.insertMaster(new Thing(13))).isEqualTo(CSpace.INVALID);
        assertThat(copy(a, first, a, -1)).isEqualTo(-HypError.CSPACE_FULL.code());
        assertThat(a.delete(first)).isEqualTo(HypError.OK);
        assertThat(a.delete(first)).isEqualTo(HypError.CSPACE_CAP_NULL);
        assertThat(a.capCount()).isEqualTo(2);
        assertThat(a.insertMaster(new Thing(14))).isNotEqualTo(CSpace.INVALID);
    }

    @Test
    @Invariant(12)
    void rightsShrinkAlongCopiesAndOnlyTheMasterRevokes() {
        CSpace a = cspace(1, 5, 100);
        CSpace b = cspace(2, 6, 100);
        Thing thing = new Thing(10);
        long master = a.insertMaster(thing);
        long copy = copy(a, master, b, 0b110);
        long second = copy(b, copy, b, 0b011);
        assertThat(look(b, second, 0b010)).isSameAs(thing);
        assertThat(look(b, second, 0b001)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);
        assertThat(look(b, second, 0b100)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);
        assertThat(copy(b, second, a, 0b100)).isEqualTo(-HypError.CSPACE_INSUFFICIENT_RIGHTS.code());
        assertThat(b.revokeCopies(copy)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS);

        assertThat(a.revokeCopies(master)).isEqualTo(HypError.OK);

        assertThat(look(b, copy, 0)).isEqualTo(HypError.CSPACE_CAP_REVOKED);
        assertThat(look(b, second, 0)).isEqualTo(HypError.CSPACE_CAP_REVOKED);
        assertThat(copy(b, copy, a, -1)).isEqualTo(-HypError.CSPACE_CAP_REVOKED.code());
        assertThat(look(a, master, -1)).isSameAs(thing);
        assertThat(b.capCount()).isEqualTo(2);
        assertThat(b.delete(copy)).isEqualTo(HypError.OK);
        assertThat(thing.destroyed.get()).isZero();
        assertThat(a.delete(master)).isEqualTo(HypError.OK);
        assertThat(thing.destroyed.get()).isEqualTo(1);
    }

    @Test
    @Invariant(15)
    void anObjectLivesExactlyAsLongAsACapabilityToIt() {
        long seed = Long.getLong("gunyah.seed", 20_261_122L);
        Random random = new Random(seed);
        CSpace[] spaces = {cspace(1, 5, 2000), cspace(2, 6, 2000), cspace(3, 7, 2000)};
        List<Map<Long, Thing>> model = List.of(new HashMap<>(), new HashMap<>(), new HashMap<>());
        List<Thing> things = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            int s = random.nextInt(3);
            List<Long> caps = new ArrayList<>(model.get(s).keySet());
            int dice = random.nextInt(10);
            if (dice == 0 || caps.isEmpty()) {
                Thing thing = new Thing(100 + step);
                things.add(thing);
                long id = spaces[s].insertMaster(thing);
                if (id != CSpace.INVALID) {
                    model.get(s).put(id, thing);
                }
                continue;
            }
            long cap = caps.get(random.nextInt(caps.size()));
            if (dice < 5) {
                int t = random.nextInt(3);
                long id = copy(spaces[s], cap, spaces[t], -1);
                model.get(t).put(id, model.get(s).get(cap));
            } else {
                assertThat(spaces[s].delete(cap)).isEqualTo(HypError.OK);
                model.get(s).remove(cap);
            }
            if (step % 500 == 0) {
                Set<Thing> alive = new HashSet<>();
                model.forEach(map -> alive.addAll(map.values()));
                for (Thing thing : things) {
                    assertThat(thing.destroyed.get()).as("seed %d step %d", seed, step)
                            .isEqualTo(alive.contains(thing) ? 0 : 1);
                }
            }
        }
        for (CSpace space : spaces) {
            space.release();
        }
        assertThat(things).allMatch(thing -> thing.destroyed.get() == 1);
    }

    @Test
    @Invariant(13)
    void copyingRacesWithRevokingWithoutLeavingACapabilityOrLosingOne() throws Exception {
        CSpace a = cspace(1, 5, 10_000);
        CSpace b = cspace(2, 6, 10_000);
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            for (int round = 0; round < 300; round++) {
                Thing thing = new Thing(1000 + round);
                long master = a.insertMaster(thing);
                long copy = copy(a, master, b, -1);
                CountDownLatch start = new CountDownLatch(1);
                Future<List<Long>> copier = pool.submit(() -> {
                    List<Long> made = new ArrayList<>();
                    start.await();
                    for (int i = 0; i < 20; i++) {
                        long id = copy(b, copy, b, -1);
                        if (id != -HypError.CSPACE_CAP_REVOKED.code()) {
                            made.add(id);
                        }
                    }
                    return made;
                });
                Future<HypError> revoker = pool.submit(() -> {
                    start.await();
                    return a.revokeCopies(master);
                });
                start.countDown();
                assertThat(revoker.get(60, TimeUnit.SECONDS)).isEqualTo(HypError.OK);
                for (long id : copier.get(60, TimeUnit.SECONDS)) {
                    assertThat(look(b, id, 0)).isEqualTo(HypError.CSPACE_CAP_REVOKED);
                    b.delete(id);
                }
                b.delete(copy);
                assertThat(thing.destroyed.get()).isZero();
                a.delete(master);
                assertThat(thing.destroyed.get()).isEqualTo(1);
            }
        }
    }
}
