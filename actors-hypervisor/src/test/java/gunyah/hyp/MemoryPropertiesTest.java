package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.memory.Access;
import gunyah.memory.Stage2Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;

/** What holds for any pages, rights and order: mapping and back, lending and back, never more than the extent allows. */
class MemoryPropertiesTest {
    private static final long PAGE = 0x1000;
    private static final long P0 = Machine.RAM + 0x10_0000;
    private static final long IPA = 0x8000_0000L;
    private static final long RWX_WB = 0xF_0077L;
    private static final int PARTIAL = 1;
    private static final int PRIVATE = 2;
    private static final int PAGES = 16;
    private static final int TO_PROTECTED = 3;
    private static final int FROM_PROTECTED = 4;

    private Machine m;
    private long host;
    private long hostSpace;
    private long guest;
    private long guestSpace;

    @BeforeTry
    void start() {
        m = Machine.light();
        host = m.derived(m.rootExtentCap, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        guest = m.derived(host, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        hostSpace = m.addrspace(3);
        guestSpace = m.addrspace(0x80);
        Machine.must(donate(0, m.rootExtentCap, host, P0, PAGES));
        Machine.must(m.call(0x60, guestSpace, IPA, 0x1000_0000L, 2, 0));
    }

    @AfterTry
    void stop() {
        m.close();
    }

    private long donate(long type, long from, long to, long offset, int pages) {
        return m.call(0x61, type, from, to, offset, pages * PAGE, 0);
    }

    private long map(long space, long extent, long ipa, long attributes, long flags, long offset, int pages) {
        return m.call(0x2B, space, extent, ipa, attributes, flags, offset, pages * PAGE);
    }

    private long unmap(long space, long extent, long ipa, long flags, long offset, int pages) {
        return m.call(0x2C, space, extent, ipa, flags, offset, pages * PAGE);
    }

    private long entry(long space, long ipa) {
        return ((Addrspace) m.object(space)).stage2().lookup(ipa);
    }

    /** {@return error of a read as the VM's own accesses would see it} */
    private HypError read(long space, long ipa) {
        return ((Addrspace) m.object(space)).view().tryRead(ipa, new byte[8], 0, 8);
    }

    @Property(tries = 40)
    @Invariant(22)
    void unmapTakesBackWhatMapDidAndLookupTellsWhatLoadsSee(
            @ForAll @Size(min = 1, max = 6) List<@IntRange(min = 0, max = 0xFFFF) Integer> mappings) {
        MachineState before = m.state();
        List<long[]> done = new ArrayList<>();
        for (int i = 0; i < mappings.size(); i++) {
            int n = mappings.get(i);
            int first = n % PAGES;
            int pages = 1 + (n >> 4) % (PAGES - first);
            long ipa = IPA + 0x100_0000L * i + PAGE * (n >> 8);
            long access = (n & 1) == 0 ? 0xF_0077L : 0xF_0044L;
            // one extent has four mappings at most
            if (i < 4) {
                Machine.must(map(hostSpace, host, ipa, access, PARTIAL, P0 + first * PAGE, pages));
                done.add(new long[] {ipa, P0 + first * PAGE, pages, access});
            }
        }
        for (long[] at : done) {
            assertThat(m.registers(0x5A, hostSpace, host, at[0], at[2] * PAGE, 0))
                    .startsWith(0, at[1], at[2] * PAGE, at[3]);
            for (int page = 0; page < at[2]; page++) {
                assertThat(Stage2Table.pa(entry(hostSpace, at[0] + page * PAGE))).isEqualTo(at[1] + page * PAGE);
                assertThat(read(hostSpace, at[0] + page * PAGE)).isEqualTo(HypError.OK);
            }
            assertThat(read(hostSpace, at[0] + at[2] * PAGE)).isEqualTo(HypError.ADDR_INVALID);
        }
        for (long[] at : done.reversed()) {
            Machine.must(unmap(hostSpace, host, at[0], PARTIAL, at[1], (int) at[2]));
            assertThat(m.registers(0x5A, hostSpace, host, at[0], PAGE, 0)[0]).isEqualTo(HypError.ADDR_INVALID.code());
        }

        assertThat(m.state().difference(before)).isEmpty();
    }

    @Property(tries = 40)
    @Invariant({18, 21, 23, 25})
    void lentPagesComeBackAndNobodyElseSeesThemMeanwhile(
            @ForAll @Size(min = 1, max = PAGES) Set<@IntRange(min = 0, max = PAGES - 1) Integer> lent) {
        Machine.must(map(hostSpace, host, P0, RWX_WB, PARTIAL, P0, PAGES));
        MachineState before = m.state();
        for (int page : lent) {
            Machine.must(donate(TO_PROTECTED, host, guest, P0 + page * PAGE, 1));
            Machine.must(map(guestSpace, guest, IPA + page * PAGE, RWX_WB, PARTIAL | PRIVATE, P0 + page * PAGE, 1));
        }
        for (int page = 0; page < PAGES; page++) {
            boolean away = lent.contains(page);
            assertThat(read(hostSpace, P0 + page * PAGE)).isEqualTo(away ? HypError.ADDR_INVALID : HypError.OK);
            assertThat(m.owners.owner(P0 + page * PAGE)).isEqualTo(m.object(away ? guest : host).id());
        }
        for (int page : lent) {
            MachineState mapped = m.state();
            assertThat(donate(FROM_PROTECTED, guest, host, P0 + page * PAGE, 1)).isEqualTo(HypError.BUSY.code());
            assertThat(m.state().digest()).isEqualTo(mapped.digest());
            assertThat(m.registers(0x69, guestSpace, IPA + page * PAGE, PAGE, 1)).startsWith(0, 0);
            Machine.must(unmap(guestSpace, guest, IPA + page * PAGE, PARTIAL | PRIVATE, P0 + page * PAGE, 1));
            Machine.must(donate(FROM_PROTECTED, guest, host, P0 + page * PAGE, 1));
            assertThat(read(hostSpace, P0 + page * PAGE)).isEqualTo(HypError.OK);
        }

        assertThat(m.state().difference(before)).isEmpty();
    }

    @Provide
    Arbitrary<Integer> extentAccess() {
        return Arbitraries.of(Access.R, Access.RX, Access.RW, Access.RWX);
    }

    /** No access, or some that includes reading: what the architecture can express. */
    private static boolean expressible(int access) {
        return access == Access.NONE || Access.allows(access, Access.R);
    }

    @Property(tries = 150)
    @Invariant(24)
    void aMappingNeverAllowsMoreThanItsExtent(@ForAll("extentAccess") int extentAccess,
            @ForAll @IntRange(min = 0, max = 7) int user, @ForAll @IntRange(min = 0, max = 7) int kernel,
            @ForAll @IntRange(min = 0, max = 7) int laterUser, @ForAll @IntRange(min = 0, max = 7) int laterKernel) {
        long extent = m.derived(host, 0, Machine.SPAN, 0x1_0000L | extentAccess);
        Machine.must(donate(0, host, extent, P0, 1));

        long error = map(hostSpace, extent, IPA, 0xF_0000L | user << 4 | kernel, PARTIAL, P0, 1);
        long later = m.call(0x2D, hostSpace, extent, IPA, (long) laterUser << 4 | laterKernel, PARTIAL, P0, PAGE);

        if (!Access.allows(extentAccess, user | kernel)) {
            assertThat(error).isNotZero();
        } else if (expressible(user) && expressible(kernel)) {
            assertThat(error).isZero();
        }
        if (error != 0 || !Access.allows(extentAccess, laterUser | laterKernel)) {
            assertThat(later).isNotZero();
        }
        long entry = entry(hostSpace, IPA);
        if (Stage2Table.isValid(entry)) {
            assertThat(Access.allows(extentAccess, Stage2Table.el1Access(entry) | Stage2Table.el0Access(entry)))
                    .isTrue();
        }
    }
}
