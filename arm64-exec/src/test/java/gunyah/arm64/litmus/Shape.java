package gunyah.arm64.litmus;

import static gunyah.arm64.litmus.Code.*;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A litmus test: threads that run at the same moment on locations that are 0, and the outcome that the Arm memory model
 * (B2.3) does not allow. Names are those of the literature.
 *
 * @param name      shape and what orders it
 * @param threads   instruction words of each
 * @param forbidden told for each outcome
 * @param code      what X holds at first, when it is not 0 but instructions
 */
record Shape(String name, List<int[]> threads, Forbidden forbidden, int... code) {
    /** Whether an outcome is forbidden: {@code seen[t][k]} is what thread t has in X10 and X11, x and y are left. */
    interface Forbidden {
        boolean is(long[][] seen, long x, long y);
    }

    /** Those that order a load before what comes later. */
    private static final Map<String, Integer> LOAD_BARRIERS = new TreeMap<>(
            Map.of("dmb ish", DMB_ISH, "dmb ishld", DMB_ISHLD, "dsb ish", DSB_ISH, "dsb ishld", DSB_ISHLD));
    /** Those that order stores. */
    private static final Map<String, Integer> STORE_BARRIERS = new TreeMap<>(
            Map.of("dmb ish", DMB_ISH, "dmb ishst", DMB_ISHST, "dsb ish", DSB_ISH, "dsb ishst", DSB_ISHST));

    @Override
    public String toString() {
        return name;
    }

    /** {@return whether the shape is about exclusives or atomics} */
    boolean isOfAtomics() {
        return name.matches(".*(xr|xp|swp|cas|ldadd).*");
    }

    /** {@return every shape with each barrier, acquire, release, dependency and exclusive that orders it} */
    static List<Shape> all() {
        List<Shape> shapes = new ArrayList<>();
        messagePassing(shapes);
        storeBuffering(shapes);
        loadBuffering(shapes);
        independentReads(shapes);
        stores(shapes);
        coherence(shapes);
        pairs(shapes);
        additions(shapes);
        patches(shapes);
        return shapes;
    }

    private static void add(List<Shape> shapes, String name, Forbidden forbidden, int[]... threads) {
        shapes.add(new Shape(name, List.of(threads), forbidden));
    }

    private static void messagePassing(List<Shape> shapes) {
        Forbidden seenFlagNotData = (seen, x, y) -> seen[1][0] == 1 && seen[1][1] == 0;
        int[] reader = of(ldar(SEEN, Y), ldr(SEEN_NEXT, X));
        int[] writer = of(str(X, ONE), stlr(Y, ONE));
        add(shapes, "MP dmb ish, dmb ish", seenFlagNotData, of(str(X, ONE), word(DMB_ISH), str(Y, ONE)),
                of(ldr(SEEN, Y), word(DMB_ISH), ldr(SEEN_NEXT, X)));
        add(shapes, "MP dmb ishst, dmb ishld", seenFlagNotData, of(str(X, ONE), word(DMB_ISHST), str(Y, ONE)),
                of(ldr(SEEN, Y), word(DMB_ISHLD), ldr(SEEN_NEXT, X)));
        add(shapes, "MP dsb ishst, dsb ishld", seenFlagNotData, of(str(X, ONE), word(DSB_ISHST), str(Y, ONE)),
                of(ldr(SEEN, Y), word(DSB_ISHLD), ldr(SEEN_NEXT, X)));
        add(shapes, "MP dsb ish, dsb ish", seenFlagNotData, of(str(X, ONE), word(DSB_ISH), str(Y, ONE)),
                of(ldr(SEEN, Y), word(DSB_ISH), ldr(SEEN_NEXT, X)));
        add(shapes, "MP stlr, ldar", seenFlagNotData, writer, reader);
        add(shapes, "MP stlr, ldapr", seenFlagNotData, writer, of(ldapr(SEEN, Y), ldr(SEEN_NEXT, X)));
        add(shapes, "MP stlr, ldaxr", seenFlagNotData, writer, of(ldaxr(SEEN, Y), ldr(SEEN_NEXT, X)));
        add(shapes, "MP stlr, ldadda", seenFlagNotData, writer, of(ldadda(SEEN, Y), ldr(SEEN_NEXT, X)));
        add(shapes, "MP stlr, casal", seenFlagNotData, writer, of(casal(SEEN, Y), ldr(SEEN_NEXT, X)));
        add(shapes, "MP stlr, address", seenFlagNotData, writer, of(ldr(SEEN, Y), ldrDependent(SEEN_NEXT, X, SEEN)));
        add(shapes, "MP stlr, control and isb", seenFlagNotData, writer,
                of(ldr(SEEN, Y), control(SEEN), word(ISB), ldr(SEEN_NEXT, X)));
        add(shapes, "MP stlxr, ldar", seenFlagNotData, of(str(X, ONE), exclusiveRelease(Y, ONE)), reader);
        add(shapes, "MP swpl, ldar", seenFlagNotData, of(str(X, ONE), swpl(Y, ONE)), reader);
        add(shapes, "MP swpal, ldar", seenFlagNotData, of(str(X, ONE), swpal(Y, ONE)), reader);
        add(shapes, "MP dmb ishst and stxr, ldar", seenFlagNotData,
                of(str(X, ONE), word(DMB_ISHST), exclusiveStore(Y, ONE)), reader);
    }

    private static void storeBuffering(List<Shape> shapes) {
        Forbidden neitherSeen = (seen, x, y) -> seen[0][0] == 0 && seen[1][0] == 0;
        for (int barrier : new int[] {DMB_ISH, DSB_ISH}) {
            add(shapes, "SB " + (barrier == DMB_ISH ? "dmb ish" : "dsb ish"), neitherSeen,
                    of(str(X, ONE), word(barrier), ldr(SEEN, Y)), of(str(Y, ONE), word(barrier), ldr(SEEN, X)));
        }
        add(shapes, "SB stlr, ldar", neitherSeen, of(stlr(X, ONE), ldar(SEEN, Y)), of(stlr(Y, ONE), ldar(SEEN, X)));
        add(shapes, "SB stlxr, ldaxr", neitherSeen, of(exclusiveRelease(X, ONE), ldaxr(SEEN, Y)),
                of(exclusiveRelease(Y, ONE), ldaxr(SEEN, X)));
        add(shapes, "SB swpal, ldar", neitherSeen, of(swpal(X, ONE), ldar(SEEN, Y)), of(swpal(Y, ONE), ldar(SEEN, X)));
        Forbidden olderWins = (seen, x, y) -> y == 2 && seen[1][0] == 0;
        add(shapes, "R dmb ish", olderWins, of(str(X, ONE), word(DMB_ISH), str(Y, ONE)),
                of(str(Y, TWO), word(DMB_ISH), ldr(SEEN, X)));
        add(shapes, "R stlr, ldar", olderWins, of(stlr(X, ONE), stlr(Y, ONE)), of(stlr(Y, TWO), ldar(SEEN, X)));
    }

    private static void loadBuffering(List<Shape> shapes) {
        Forbidden bothFromTheFuture = (seen, x, y) -> seen[0][0] == 1 && seen[1][0] == 1;
        LOAD_BARRIERS.forEach((name, barrier) -> add(shapes, "LB " + name, bothFromTheFuture,
                of(ldr(SEEN, X), word(barrier), str(Y, ONE)), of(ldr(SEEN, Y), word(barrier), str(X, ONE))));
        add(shapes, "LB ldar", bothFromTheFuture, of(ldar(SEEN, X), str(Y, ONE)), of(ldar(SEEN, Y), str(X, ONE)));
        add(shapes, "LB stlr", bothFromTheFuture, of(ldr(SEEN, X), stlr(Y, ONE)), of(ldr(SEEN, Y), stlr(X, ONE)));
        add(shapes, "LB ldaxr", bothFromTheFuture, of(ldaxr(SEEN, X), str(Y, ONE)), of(ldaxr(SEEN, Y), str(X, ONE)));
        add(shapes, "LB stlxr", bothFromTheFuture, of(ldr(SEEN, X), exclusiveRelease(Y, ONE)),
                of(ldr(SEEN, Y), exclusiveRelease(X, ONE)));
        add(shapes, "LB ldadda", bothFromTheFuture, of(ldadda(SEEN, X), str(Y, ONE)), of(ldadda(SEEN, Y), str(X, ONE)));
        add(shapes, "LB swpl", bothFromTheFuture, of(ldr(SEEN, X), swpl(Y, ONE)), of(ldr(SEEN, Y), swpl(X, ONE)));
        add(shapes, "LB data", bothFromTheFuture, of(ldr(SEEN, X), strDependent(Y, SEEN)),
                of(ldr(SEEN, Y), strDependent(X, SEEN)));
        add(shapes, "LB control", bothFromTheFuture, of(ldr(SEEN, X), control(SEEN), str(Y, ONE)),
                of(ldr(SEEN, Y), control(SEEN), str(X, ONE)));
    }

    private static void independentReads(List<Shape> shapes) {
        Forbidden disagree = (seen, x, y) -> seen[2][0] == 1 && seen[2][1] == 0 && seen[3][0] == 1 && seen[3][1] == 0;
        int[] writesX = str(X, ONE);
        int[] writesY = str(Y, ONE);
        LOAD_BARRIERS.forEach((name, barrier) -> add(shapes, "IRIW " + name, disagree, writesX, writesY,
                of(ldr(SEEN, X), word(barrier), ldr(SEEN_NEXT, Y)),
                of(ldr(SEEN, Y), word(barrier), ldr(SEEN_NEXT, X))));
        add(shapes, "IRIW ldar", disagree, stlr(X, ONE), stlr(Y, ONE), of(ldar(SEEN, X), ldar(SEEN_NEXT, Y)),
                of(ldar(SEEN, Y), ldar(SEEN_NEXT, X)));
        add(shapes, "IRIW stlxr, ldaxr", disagree, exclusiveRelease(X, ONE), exclusiveRelease(Y, ONE),
                of(ldaxr(SEEN, X), ldaxr(SEEN_NEXT, Y)), of(ldaxr(SEEN, Y), ldaxr(SEEN_NEXT, X)));
        add(shapes, "IRIW swpl, ldadda", disagree, swpl(X, ONE), swpl(Y, ONE),
                of(ldadda(SEEN, X), ldadda(SEEN_NEXT, Y)), of(ldadda(SEEN, Y), ldadda(SEEN_NEXT, X)));
        add(shapes, "IRIW address", disagree, writesX, writesY, of(ldr(SEEN, X), ldrDependent(SEEN_NEXT, Y, SEEN)),
                of(ldr(SEEN, Y), ldrDependent(SEEN_NEXT, X, SEEN)));
        add(shapes, "IRIW ldxr and dmb ishld", disagree, exclusiveStore(X, ONE), exclusiveStore(Y, ONE),
                of(ldxr(SEEN, X), word(DMB_ISHLD), ldr(SEEN_NEXT, Y)),
                of(ldxr(SEEN, Y), word(DMB_ISHLD), ldr(SEEN_NEXT, X)));
        Forbidden relayed = (seen, x, y) -> seen[1][0] == 1 && seen[2][0] == 1 && seen[2][1] == 0;
        add(shapes, "WRC data, address", relayed, writesX, of(ldr(SEEN, X), strDependent(Y, SEEN)),
                of(ldr(SEEN, Y), ldrDependent(SEEN_NEXT, X, SEEN)));
        add(shapes, "WRC stlr, ldar", relayed, writesX, of(ldr(SEEN, X), stlr(Y, ONE)),
                of(ldar(SEEN, Y), ldr(SEEN_NEXT, X)));
    }

    private static void stores(List<Shape> shapes) {
        Forbidden crossed = (seen, x, y) -> x == 1 && y == 1;
        STORE_BARRIERS.forEach((name, barrier) -> add(shapes, "2+2W " + name, crossed,
                of(str(X, ONE), word(barrier), str(Y, TWO)), of(str(Y, ONE), word(barrier), str(X, TWO))));
        add(shapes, "2+2W stlr", crossed, of(str(X, ONE), stlr(Y, TWO)), of(str(Y, ONE), stlr(X, TWO)));
        add(shapes, "2+2W stlxr", crossed, of(str(X, ONE), exclusiveRelease(Y, TWO)),
                of(str(Y, ONE), exclusiveRelease(X, TWO)));
        add(shapes, "2+2W swpl", crossed, of(str(X, ONE), swpl(Y, TWO)), of(str(Y, ONE), swpl(X, TWO)));
        Forbidden overtaken = (seen, x, y) -> seen[1][0] == 1 && x == 2;
        add(shapes, "S dmb ishst, data", overtaken, of(str(X, TWO), word(DMB_ISHST), str(Y, ONE)),
                of(ldr(SEEN, Y), strDependent(X, SEEN)));
        add(shapes, "S stlr, ldar", overtaken, of(str(X, TWO), stlr(Y, ONE)), of(ldar(SEEN, Y), str(X, ONE)));
    }

    /** Pairs of 16 bytes against a plain store to half of them, which must not get lost. */
    private static void pairs(List<Shape> shapes) {
        Forbidden lost = (seen, x, y) -> x == 0 || seen[0][0] == 0;
        int[] store = of(str(X, ONE), ldr(SEEN, X_AGAIN));
        add(shapes, "pair casp", lost, store, caspHigh());
        add(shapes, "pair ldxp, stxp", lost, store, exclusivePair());
        add(shapes, "pair ldxp, stxp of two", lost, store, exclusivePair(), caspHigh());
    }

    /** Every thread adds 1: none may get lost. */
    private static void additions(List<Shape> shapes) {
        int[][] ways = {addExclusive(), addExclusivePair(), addCasp(), addCas(), word(LDADD)};
        String[] names = {"ldxr, stxr", "ldxp, stxp", "casp", "cas", "ldadd"};
        for (int way = 0; way < ways.length; way++) {
            add(shapes, "add by " + names[way], (seen, x, y) -> x != 2, ways[way], ways[way]);
        }
        add(shapes, "add by stxr, stxp, casp, ldadd", (seen, x, y) -> x != 4, ways[0], ways[1], ways[2], ways[4]);
    }

    /** One patches an instruction that the other has executed, does what B2.4.4 asks for, and says so. */
    private static void patches(List<Shape> shapes) {
        Forbidden old = (seen, x, y) -> seen[1][0] == 1 && seen[1][1] == 0;
        int[] maintenance = {DC_CVAU_X, DSB_ISH, IC_IVAU_X, DSB_ISH};
        int[] executes = of(word(CALL_X), word(CLEAR_SEEN_NEXT), ldr(SEEN, Y), word(ISB), word(CALL_X));
        shapes.add(new Shape("patch, ic ivau, str", List.of(of(storeBranch(), maintenance, str(Y, ONE)), executes), old,
                PATCHED));
        shapes.add(new Shape("patch, ic ivau, stlr", List.of(of(storeBranch(), maintenance, stlr(Y, ONE)), executes),
                old, PATCHED));
        shapes.add(new Shape("patch, ic ivau, three run it", List.of(of(storeBranch(), maintenance, str(Y, ONE)),
                executes, executes, executes), (seen, x, y) -> java.util.stream.IntStream.range(1, 4)
                .anyMatch(t -> seen[t][0] == 1 && seen[t][1] == 0), PATCHED));
    }

    private static void coherence(List<Shape> shapes) {
        Forbidden backInTime = (seen, x, y) -> seen[1][0] == 1 && seen[1][1] == 0;
        add(shapes, "CoRR", backInTime, str(X, ONE), of(ldr(SEEN, X), ldr(SEEN_NEXT, X_AGAIN)));
        LOAD_BARRIERS.forEach((name, barrier) -> add(shapes, "CoRR " + name, backInTime, str(X, ONE),
                of(ldr(SEEN, X), word(barrier), ldr(SEEN_NEXT, X_AGAIN))));
        add(shapes, "CoRR stlr, ldar", backInTime, stlr(X, ONE), of(ldar(SEEN, X), ldar(SEEN_NEXT, X_AGAIN)));
        add(shapes, "CoRR stlxr, ldxr", backInTime, exclusiveRelease(X, ONE),
                of(ldxr(SEEN, X), ldxr(SEEN_NEXT, X_AGAIN)));
        add(shapes, "CoRR of four", (seen, x, y) -> seen[2][0] == 1 && seen[2][1] == 2 && seen[3][0] == 2
                && seen[3][1] == 1, str(X, ONE), str(X, TWO), of(ldr(SEEN, X), ldr(SEEN_NEXT, X_AGAIN)),
                of(ldr(SEEN, X_AGAIN), ldr(SEEN_NEXT, X)));
        add(shapes, "CoWW", (seen, x, y) -> x == 1, of(str(X, ONE), str(X_AGAIN, TWO)), ldr(SEEN, X));
        add(shapes, "CoRW1", (seen, x, y) -> seen[0][0] == 1, of(ldr(SEEN, X), str(X_AGAIN, ONE)), ldr(SEEN, X));
        add(shapes, "CoRW2", (seen, x, y) -> seen[1][0] == 1 && x == 1, str(X, ONE),
                of(ldr(SEEN, X), str(X_AGAIN, TWO)));
        add(shapes, "CoWR", (seen, x, y) -> seen[0][0] == 2 && x == 1, of(str(X, ONE), ldr(SEEN, X_AGAIN)),
                str(X, TWO));
    }
}
