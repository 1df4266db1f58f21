package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.AddrspaceActor;
import gunyah.hyp.addrspace.FaultKind;
import gunyah.hyp.addrspace.VdeviceRegion;
import gunyah.hyp.cspace.CSpace;
import gunyah.memory.Access;
import gunyah.memory.RawMemory;
import gunyah.memory.Stage2Table;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MemoryCallsTest {
    private static final long PAGE = 0x1000;
    private static final long P0 = Machine.RAM + 0x10_0000;
    private static final long IPA = 0x8000_0000L;
    private static final long RWX_WB = 0xF_0077L;
    private static final long RW_WB = 0xF_0066L;
    private static final int PARTIAL = 1;
    private static final int PRIVATE = 2;
    private static final int VMMIO = 4;
    private static final int WHOLE = 8;
    private static final long NO_SYNC = 0x8000_0000L;

    private final Machine m = new Machine();

    @AfterEach
    void close() {
        m.close();
    }

    private Addrspace space(long cap) {
        return (Addrspace) m.object(cap);
    }

    private long map(long space, long extent, long ipa, long attrs, long flags, long offset, long size) {
        return m.call(0x2B, space, extent, ipa, attrs, flags, offset, size);
    }

    private long unmap(long space, long extent, long ipa, long flags, long offset, long size) {
        return m.call(0x2C, space, extent, ipa, flags, offset, size);
    }

    private long donate(long type, long from, long to, long offset, long size) {
        return m.call(0x61, type, from, to, offset, size, 0);
    }

    private long pa(long space, long ipa) {
        long entry = space(space).stage2().lookup(ipa);
        return Stage2Table.isValid(entry) ? Stage2Table.pa(entry) : -1;
    }

    private int owner(long pa) {
        return m.owners.owner(pa);
    }

    private int id(long cap) {
        return m.object(cap).id();
    }

    private long spanning() {
        return m.derived(m.rootExtentCap, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
    }

    @Test
    @Invariant({23, 25})
    void demandPagingOfAPrivatePageGoesThereAndBackAgain() {
        long host = spanning();
        long hostSpace = m.addrspace(3);
        long guest = m.derived(host, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        long guestSpace = m.addrspace(0x80);
        Machine.must(donate(0, m.rootExtentCap, host, P0, 16 * PAGE));
        Machine.must(map(hostSpace, host, P0, RWX_WB, PARTIAL, P0, 16 * PAGE));
        Machine.must(m.call(0x60, guestSpace, IPA, 0x1000_0000L, 2, 0));
        assertThat(pa(hostSpace, P0 + PAGE)).isEqualTo(P0 + PAGE);

        Machine.must(donate(3, host, guest, P0 + PAGE, PAGE));
        Machine.must(map(guestSpace, guest, IPA + 5 * PAGE, RWX_WB, PARTIAL | PRIVATE, P0 + PAGE, PAGE));
        assertThat(pa(hostSpace, P0 + PAGE)).isEqualTo(-1);
        assertThat(pa(hostSpace, P0 + 2 * PAGE)).isEqualTo(P0 + 2 * PAGE);
        assertThat(pa(guestSpace, IPA + 5 * PAGE)).isEqualTo(P0 + PAGE);
        assertThat(owner(P0 + PAGE)).isEqualTo(id(guest));
        assertThatThrownBy(() -> space(hostSpace).view().read(P0 + PAGE, new byte[8], 0, 8))
                .isInstanceOf(HypercallPort.ExternalAbort.class);

        space(guestSpace).vcpuMayRun();
        // locked: neither unmapped, replaced nor taken back
        m.memory.write(P0 + PAGE, new byte[] {1, 2, 3}, 0, 3);
        assertThat(unmap(guestSpace, guest, IPA + 5 * PAGE, PARTIAL | PRIVATE, P0 + PAGE, PAGE))
                .isEqualTo(HypError.BUSY.code());
        assertThat(donate(4, guest, host, P0 + PAGE, PAGE)).isEqualTo(HypError.BUSY.code());
        assertThat(donate(1, guest, host, P0 + PAGE, PAGE)).isEqualTo(HypError.BUSY.code());
        assertThat(pa(guestSpace, IPA + 5 * PAGE)).isEqualTo(P0 + PAGE);

        assertThat(m.registers(0x69, guestSpace, IPA, 0x1000_0000L, 1)).startsWith(0, 0);
        Machine.must(unmap(guestSpace, guest, IPA + 5 * PAGE, PARTIAL | PRIVATE | NO_SYNC, P0 + PAGE, PAGE));
        Machine.must(donate(4, guest, host, P0 + PAGE, PAGE));
        assertThat(owner(P0 + PAGE)).isEqualTo(id(host));
        assertThat(pa(hostSpace, P0 + PAGE)).isEqualTo(P0 + PAGE);
        byte[] seen = {9, 9, 9};
        space(hostSpace).view().read(P0 + PAGE, seen, 0, 3);
        assertThat(seen).containsExactly(0, 0, 0);
    }

    @Test
    void aGuestReleasesItsOwnPageWithoutACapability() {
        long guest = spanning();
        long spaceCap = m.addrspace(0x82);
        Machine.must(m.call(0x60, spaceCap, IPA, 0x1000_0000L, 2, 0));
        Machine.must(donate(0, m.rootExtentCap, guest, P0, PAGE));
        Machine.must(map(spaceCap, guest, IPA, 0xF_0055L, PARTIAL | PRIVATE, P0, PAGE));
        Caller inside = new JavaCaller(new CSpace(9, new Random(8)), space(spaceCap), null);
        m.memory.write(P0, new byte[] {5}, 0, 1);
        assertThat(m.registers(inside, 0x69, 0, IPA, PAGE, 9)).startsWith(0, 0);
        assertThat(m.registers(inside, 0x69, 77, IPA, PAGE, 1)[0]).isNotZero();
        Machine.must(unmap(spaceCap, guest, IPA, PARTIAL | PRIVATE, P0, PAGE));
        assertThat(RawMemory.RAW.getByte(m.memory.hostAddress(P0))).as("contents kept on request").isEqualTo((byte) 5);
    }

    @Test
    void sharedPagesMoveBetweenSiblingsIntoTheVmmioRange() {
        long parent = spanning();
        long hostShared = m.derived(parent, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        long guestShared = m.derived(parent, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        long hostSpace = m.addrspace(3);
        long guestSpace = m.addrspace(0x80);
        Machine.must(donate(0, m.rootExtentCap, parent, P0, 4 * PAGE));
        Machine.must(donate(0, parent, hostShared, P0, 4 * PAGE));
        // both record the same place in the host: the page stays mapped there
        Machine.must(map(hostSpace, hostShared, 0, RW_WB, 0, 0, 0));
        Machine.must(map(hostSpace, guestShared, 0, RW_WB, 0, 0, 0));
        int epoch = space(hostSpace).stage2().epoch();
        Machine.must(m.call(0x60, guestSpace, IPA, 0x1000_0000L, 0, 0));

        Machine.must(donate(2, hostShared, guestShared, P0, PAGE));
        assertThat(map(guestSpace, guestShared, IPA, RWX_WB, PARTIAL | VMMIO, P0, PAGE))
                .isEqualTo(HypError.DENIED.code());
        assertThat(map(guestSpace, guestShared, 0x1000, RW_WB, PARTIAL | VMMIO, P0, PAGE))
                .isEqualTo(HypError.DENIED.code());
        Machine.must(map(guestSpace, guestShared, IPA, RW_WB, PARTIAL | VMMIO, P0, PAGE));

        assertThat(pa(hostSpace, P0)).isEqualTo(P0);
        assertThat(space(hostSpace).stage2().epoch()).isEqualTo(epoch);
        assertThat(pa(guestSpace, IPA)).isEqualTo(P0);
        assertThat(space(guestSpace).faultKind(IPA, 4, Access.W, true)).isEqualTo(FaultKind.MAPPED);
        assertThat(space(guestSpace).faultKind(IPA + PAGE, 4, Access.W, true)).isEqualTo(FaultKind.VMMIO);
        Machine.must(unmap(guestSpace, guestShared, IPA, PARTIAL | VMMIO, P0, PAGE));
        Machine.must(donate(2, guestShared, hostShared, P0, PAGE));
        assertThat(pa(guestSpace, IPA)).isEqualTo(-1);
        assertThat(pa(hostSpace, P0)).isEqualTo(P0);
    }

    @Test
    @Invariant(21)
    void donationErrorsChangeNothing() {
        long a = spanning();
        long b = spanning();
        long basic = m.derived(m.rootExtentCap, P0 + 32 * PAGE, PAGE, Machine.RWX_BASIC);
        assertThat(donate(2, a, b, P0, PAGE)).isEqualTo(HypError.MEMDB_NOT_OWNER.code());
        assertThat(donate(2, a, a, P0, PAGE)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(donate(0, a, b, P0, PAGE)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(donate(0, m.rootExtentCap, a, P0, 0)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(donate(0, m.rootExtentCap, a, P0, -PAGE)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(donate(0, m.rootExtentCap, a, P0 + 1, PAGE)).isEqualTo(HypError.ARGUMENT_ALIGNMENT.code());
        assertThat(donate(0, m.rootExtentCap, a, Machine.SPAN, PAGE)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(donate(0, m.rootExtentCap, basic, 0, PAGE)).isEqualTo(HypError.MEMEXTENT_TYPE.code());
        assertThat(donate(5, a, b, P0, PAGE)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(donate(0x100, a, b, P0, PAGE)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        Machine.must(donate(0, m.rootExtentCap, a, P0, PAGE));
        assertThat(donate(0, m.rootExtentCap, b, P0 - PAGE, 2 * PAGE)).isEqualTo(HypError.MEMDB_NOT_OWNER.code());
        assertThat(m.owners.count(id(b))).isZero();
        assertThat(m.owners.count(id(a))).isEqualTo(1);
    }

    @Test
    void aBasicExtentTakesItsRangeAndTheParentsMapping() {
        Machine.must(map(m.rootSpaceCap, m.rootExtentCap, P0, RWX_WB, PARTIAL, P0, 8 * PAGE));
        long readOnly = m.derived(m.rootExtentCap, P0, 2 * PAGE, 0x0_0004L);
        assertThat(owner(P0)).isEqualTo(id(readOnly));
        long entry = m.rootSpace.stage2().lookup(P0 + PAGE);
        assertThat(Stage2Table.el1Access(entry)).isEqualTo(Access.R);
        assertThat(Stage2Table.el1Access(m.rootSpace.stage2().lookup(P0 + 2 * PAGE))).isEqualTo(Access.RWX);

        long partly = m.create(0x04);
        Machine.must(m.call(0x32, partly, m.rootExtentCap, P0 + 7 * PAGE, 2 * PAGE, Machine.RWX_BASIC));
        assertThat(m.call(0x0C, partly, 0)).isEqualTo(HypError.DENIED.code());
        long taken = m.create(0x04);
        Machine.must(m.call(0x32, taken, m.rootExtentCap, P0, PAGE, Machine.RWX_BASIC));
        assertThat(m.call(0x0C, taken, 0)).isEqualTo(HypError.MEMDB_NOT_OWNER.code());

        Machine.must(m.call(0x22, m.cspaceCap, readOnly, 0));
        assertThat(owner(P0)).isEqualTo(m.rootExtent.id());
        assertThat(Stage2Table.el1Access(m.rootSpace.stage2().lookup(P0 + PAGE))).isEqualTo(Access.RWX);
    }

    @Test
    void mapChecksInOrder() {
        long extent = m.derived(m.rootExtentCap, P0, 4 * PAGE, 0x1_0006L);
        long space = m.addrspace(7);
        assertThat(map(space, extent, 1, RW_WB, PRIVATE | VMMIO, 0, PAGE)).isEqualTo(1);
        assertThat(map(space, extent, 1, RW_WB, WHOLE, 0, PAGE)).isEqualTo(1);
        assertThat(map(space, 0x3F, 1, RW_WB, PARTIAL, 0, PAGE)).isEqualTo(HypError.CSPACE_CAP_NULL.code());
        assertThat(map(space, extent, 1, RW_WB, PARTIAL, 0, PAGE)).isEqualTo(HypError.ARGUMENT_ALIGNMENT.code());
        assertThat(map(space, extent, IPA, RW_WB, PARTIAL, 0, 0)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(map(space, extent, IPA, RW_WB, PARTIAL, 4 * PAGE, PAGE)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(map(space, extent, IPA, RWX_WB, PARTIAL, 0, PAGE)).isEqualTo(1);
        assertThat(map(space, extent, IPA, 0x4_0066L, PARTIAL, 0, PAGE)).isEqualTo(1);
        assertThat(map(space, extent, IPA, RW_WB | 8, PARTIAL, 0, PAGE)).isEqualTo(1);
        assertThat(map(space, extent, 1L << 36, RW_WB, PARTIAL, 0, PAGE)).isEqualTo(HypError.ADDR_INVALID.code());
        assertThat(map(space, extent, IPA, RW_WB, PARTIAL | PRIVATE, 0, PAGE)).isEqualTo(HypError.DENIED.code());
        Machine.must(m.call(0x60, space, IPA, 0x10_0000L, 2, 0));
        assertThat(map(space, extent, IPA, RW_WB, PARTIAL | PRIVATE, 0, PAGE))
                .isEqualTo(HypError.MEMDB_NOT_OWNER.code());
        assertThat(unmap(space, extent, IPA, PARTIAL, 0, PAGE)).isEqualTo(HypError.ADDR_INVALID.code());
    }

    @Test
    void anExtentHasFourSlotsAndGetsThemBack() {
        long extent = spanning();
        Machine.must(donate(0, m.rootExtentCap, extent, P0, PAGE));
        long[] spaces = new long[5];
        for (int i = 0; i < 5; i++) {
            spaces[i] = m.addrspace(0x80 + i);
            assertThat(map(spaces[i], extent, IPA, RW_WB, PARTIAL, P0, PAGE))
                    .isEqualTo(i < 4 ? 0 : HypError.MEMEXTENT_MAPPINGS_FULL.code());
        }
        Machine.must(unmap(spaces[1], extent, IPA, PARTIAL, P0, PAGE));
        Machine.must(map(spaces[4], extent, IPA, RW_WB, PARTIAL, P0, PAGE));
        // the same page twice in one address space takes a slot of its own
        assertThat(map(spaces[0], extent, IPA + PAGE, RW_WB, PARTIAL, P0, PAGE))
                .isEqualTo(HypError.MEMEXTENT_MAPPINGS_FULL.code());
        // an address space that goes gives its slot back
        Machine.must(m.call(0x22, m.cspaceCap, spaces[2], 0));
        Machine.must(map(spaces[0], extent, IPA + PAGE, RW_WB, PARTIAL, P0, PAGE));
        assertThat(pa(spaces[0], IPA)).isEqualTo(P0);
        assertThat(pa(spaces[0], IPA + PAGE)).isEqualTo(P0);
        Machine.must(unmap(spaces[0], extent, 0, WHOLE, 0, 0));
        assertThat(pa(spaces[0], IPA)).isEqualTo(-1);
        assertThat(pa(spaces[0], IPA + PAGE)).isEqualTo(-1);
        assertThat(pa(spaces[3], IPA)).isEqualTo(P0);
    }

    @Test
    @Invariant(22)
    void updateAccessAndLookupAgreeWithTheTable() {
        Machine.must(map(m.rootSpaceCap, m.rootExtentCap, IPA, RWX_WB, PARTIAL, P0, 8 * PAGE));
        assertThat(m.registers(0x5A, m.rootSpaceCap, m.rootExtentCap, IPA, 16 * PAGE, 0))
                .startsWith(0, P0, 8 * PAGE, RWX_WB);
        int epoch = m.rootSpace.stage2().epoch();
        Machine.must(m.call(0x2D, m.rootSpaceCap, m.rootExtentCap, IPA + 2 * PAGE, 0x44, PARTIAL, P0 + 2 * PAGE,
                PAGE));
        assertThat(m.rootSpace.stage2().epoch()).isEqualTo(epoch + 1);
        assertThat(m.registers(0x5A, m.rootSpaceCap, m.rootExtentCap, IPA, 16 * PAGE, 0))
                .startsWith(0, P0, 2 * PAGE, RWX_WB);
        assertThat(m.registers(0x5A, m.rootSpaceCap, m.rootExtentCap, IPA + 2 * PAGE, 16 * PAGE, 0))
                .startsWith(0, P0 + 2 * PAGE, PAGE, 0xF_0044L);
        assertThat(m.registers(0x5A, m.rootSpaceCap, m.rootExtentCap, IPA + 8 * PAGE, PAGE, 0))
                .startsWith(HypError.ADDR_INVALID.code(), 0, 0, 0);
        assertThat(m.call(0x2D, m.rootSpaceCap, m.rootExtentCap, IPA, 0x44, PARTIAL, P0 + PAGE, PAGE))
                .isEqualTo(HypError.ADDR_INVALID.code());
        byte[] bytes = {1};
        assertThat(m.rootSpace.view().tryWrite(IPA + 2 * PAGE, bytes, 0, 1)).isEqualTo(HypError.DENIED);
        assertThat(m.rootSpace.view().tryRead(IPA + 2 * PAGE, bytes, 0, 1)).isEqualTo(HypError.OK);
        assertThat(m.rootSpace.view().tryRead(-1, new byte[8], 0, 8)).isEqualTo(HypError.ADDR_OVERFLOW);
    }

    @Test
    @Invariant(26)
    void rangesAreDisjointBoundedAndRemovedExactly() {
        long space = m.create(0x03);
        for (int i = 0; i < 128; i++) {
            Machine.must(m.call(0x60, space, i * 4 * PAGE, 2 * PAGE, i % 2 == 0 ? 0 : 2, 0));
        }
        assertThat(m.call(0x60, space, 0x1000_0000L, PAGE, 0, 0)).isEqualTo(HypError.NORESOURCES.code());
        assertThat(m.call(0x60, space, 0, 2 * PAGE, 0, 0)).isEqualTo(HypError.BUSY.code());
        assertThat(m.call(0x60, space, PAGE, 2 * PAGE, 0, 0)).isEqualTo(1);
        assertThat(m.call(0x60, space, 0, PAGE, 1, 0)).isEqualTo(1);
        assertThat(m.call(0x60, space, 0, 0, 1, 0)).isEqualTo(HypError.ARGUMENT_SIZE.code());
        assertThat(m.call(0x60, space, 0, PAGE, 4, 0)).isEqualTo(1);
        Machine.must(m.call(0x60, space, 0, 2 * PAGE, 1, 0));
        assertThat(space(space).insideVmmio(0, PAGE)).isFalse();
        assertThat(space(space).insideVmmio(8 * PAGE, 2 * PAGE)).isTrue();
        assertThat(space(space).insideVmmio(8 * PAGE, 3 * PAGE)).isFalse();
        assertThat(space(space).insidePrivate(4 * PAGE, PAGE)).isTrue();
        assertThat(space(space).faultKind(4 * PAGE, 8, Access.R, true)).isEqualTo(FaultKind.PRIVATE);
        assertThat(space(space).faultKind(3 * PAGE, 8, Access.R, true)).isEqualTo(FaultKind.NONE);
    }

    @Test
    void aVmidIsTakenAtActivation() {
        long first = m.addrspace(9);
        long second = m.create(0x03);
        assertThat(m.call(0x0C, second, 0)).isEqualTo(HypError.OBJECT_CONFIG.code());
        assertThat(m.call(0x2E, second, 0, 0)).isEqualTo(1);
        Machine.must(m.call(0x2E, second, 9, 0));
        assertThat(m.call(0x0C, second, 0)).isEqualTo(HypError.BUSY.code());
        Machine.must(m.call(0x22, m.cspaceCap, first, 0));
        Machine.must(m.call(0x0C, second, 0));
    }

    @Test
    void aDestroyedGuestExtentReturnsCleanPages() {
        long guest = spanning();
        long space = m.addrspace(0x81);
        Machine.must(m.call(0x60, space, IPA, 0x1000_0000L, 2, 0));
        Machine.must(donate(0, m.rootExtentCap, guest, P0, 2 * PAGE));
        Machine.must(map(space, guest, IPA, RWX_WB, PARTIAL | PRIVATE, P0, PAGE));
        RawMemory.RAW.putLong(m.memory.hostAddress(P0), 0x5EC2E7);
        RawMemory.RAW.putLong(m.memory.hostAddress(P0 + PAGE), 0x77);
        Machine.must(m.call(0x22, m.cspaceCap, guest, 0));
        assertThat(owner(P0)).isEqualTo(m.rootExtent.id());
        assertThat(RawMemory.RAW.getLong(m.memory.hostAddress(P0))).isZero();
        assertThat(RawMemory.RAW.getLong(m.memory.hostAddress(P0 + PAGE))).isEqualTo(0x77);
        assertThat(pa(space, IPA)).isEqualTo(-1);
    }

    @Test
    void framesComeBackCleanFromAnAddressSpaceThatBroke() {
        long host = spanning();
        long guest = m.derived(host, 0, Machine.SPAN, Machine.ALL_RWX_SPARSE);
        long guestSpace = m.addrspace(0x80);
        Machine.must(donate(0, m.rootExtentCap, host, P0, 4 * PAGE));
        Machine.must(m.call(0x60, guestSpace, IPA, 0x10_0000L, 2, 0));
        Machine.must(donate(3, host, guest, P0, 2 * PAGE));
        Machine.must(map(guestSpace, guest, IPA, RWX_WB, PARTIAL | PRIVATE, P0, PAGE));
        Machine.must(map(guestSpace, guest, IPA + PAGE, RWX_WB, PARTIAL | PRIVATE, P0 + PAGE, PAGE));
        RawMemory.RAW.putLong(m.memory.hostAddress(P0), 0x77);
        RawMemory.RAW.putLong(m.memory.hostAddress(P0 + PAGE), 0x77);

        assertThat(space(guestSpace).addVdevice(new VdeviceRegion(0, PAGE, null))).isEqualTo(HypError.OK);
        ReplySlot slot = ReplySlot.arm();
        space(guestSpace).actor().tell(new AddrspaceActor.AttachVdevice(null, slot));
        assertThat(slot.await()).isEqualTo(HypError.FAILURE);

        assertThat(pa(guestSpace, IPA)).as("nothing can be reached").isEqualTo(-1);
        assertThat(map(guestSpace, guest, IPA + 2 * PAGE, RWX_WB, PARTIAL, P0, PAGE))
                .isEqualTo(HypError.OBJECT_STATE.code());
        assertThat(unmap(guestSpace, guest, IPA, PARTIAL, P0, PAGE)).as("as what it is not")
                .isEqualTo(HypError.BUSY.code());
        Machine.must(unmap(guestSpace, guest, IPA, PARTIAL | PRIVATE, P0, PAGE));
        assertThat(RawMemory.RAW.getLong(m.memory.hostAddress(P0))).isZero();
        Machine.must(donate(4, guest, host, P0, PAGE));
        Machine.must(m.call(0x22, m.cspaceCap, guestSpace, 0));
        assertThat(RawMemory.RAW.getLong(m.memory.hostAddress(P0 + PAGE))).isZero();
        Machine.must(donate(4, guest, host, P0 + PAGE, PAGE));
        assertThat(owner(P0 + PAGE)).isEqualTo(id(host));
    }

    @Test
    @Invariant(20)
    void aPrivatePageIsMappedNowhereElse() {
        long guest = spanning();
        long space = m.addrspace(0x81);
        Machine.must(m.call(0x60, space, IPA, 0x1000_0000L, 2, 0));
        Machine.must(donate(0, m.rootExtentCap, guest, P0, PAGE));
        Machine.must(map(space, guest, IPA, RWX_WB, PARTIAL | PRIVATE, P0, PAGE));

        assertThat(map(m.rootSpaceCap, guest, P0, RW_WB, PARTIAL, P0, PAGE)).isEqualTo(HypError.BUSY.code());

        assertThat(pa(m.rootSpaceCap, P0)).isEqualTo(-1);
    }

    @Test
    void aPrivatePageIsNotReplacedByAnOlderRecord() {
        long guest = spanning();
        long shared = spanning();
        long space = m.addrspace(0x81);
        Machine.must(m.call(0x60, space, IPA, 0x1000_0000L, 2, 0));
        Machine.must(map(space, shared, IPA, RW_WB, PARTIAL, P0 + PAGE, PAGE));
        Machine.must(donate(0, m.rootExtentCap, guest, P0, PAGE));
        Machine.must(map(space, guest, IPA, RWX_WB, PARTIAL | PRIVATE, P0, PAGE));
        m.memory.write(P0, new byte[] {42}, 0, 1);

        Machine.must(donate(0, m.rootExtentCap, shared, P0 + PAGE, PAGE));
        assertThat(pa(space, IPA)).isEqualTo(P0);
        Machine.must(m.call(0x2D, space, shared, IPA, 0x44, PARTIAL, P0 + PAGE, PAGE));
        assertThat(pa(space, IPA)).isEqualTo(P0);

        Machine.must(m.call(0x22, m.cspaceCap, guest, 0));
        assertThat(RawMemory.RAW.getByte(m.memory.hostAddress(P0))).as("zeroed when it leaves").isZero();
    }

    @Test
    void rightsTakenAwayStayAwayWhenThePageComesBack() {
        long extent = spanning();
        long space = m.addrspace(0x81);
        Machine.must(donate(0, m.rootExtentCap, extent, P0, PAGE));
        Machine.must(map(space, extent, IPA, RW_WB, PARTIAL, P0, 2 * PAGE));
        // a second place for the page takes a second slot, which outlives the first place
        Machine.must(map(space, extent, IPA + 0x10_0000, RW_WB, PARTIAL, P0, PAGE));
        Machine.must(unmap(space, extent, IPA, PARTIAL, P0, PAGE));
        Machine.must(map(space, extent, IPA + 0x10_0000, 0xF_0044L, PARTIAL, P0, PAGE));

        Machine.must(donate(1, extent, m.rootExtentCap, P0, PAGE));
        Machine.must(donate(0, m.rootExtentCap, extent, P0, PAGE));

        assertThat(Stage2Table.el1Access(space(space).stage2().lookup(IPA + 0x10_0000))).isEqualTo(Access.R);
    }

    @Test
    @Invariant({18, 19})
    void randomTrafficKeepsOwnersRecordsAndTablesInStep() {
        long seed = Long.getLong("gunyah.seed", 20_261_122L);
        Random random = new Random(seed);
        long[] extents = {m.rootExtentCap, spanning(), spanning()};
        long[] spaces = {m.addrspace(20), m.addrspace(21)};
        int pages = 24;
        long[][][] recorded = new long[3][2][pages];
        int[] owner = new int[pages];
        for (int step = 0; step < 6000; step++) {
            int page = random.nextInt(pages);
            int count = 1 + random.nextInt(Math.min(4, pages - page));
            long pa = P0 + page * PAGE;
            int e = random.nextInt(3);
            int s = random.nextInt(2);
            if (random.nextInt(3) == 0) {
                int to = random.nextInt(3);
                long type = e == 0 ? 0 : to == 0 ? 1 : 2;
                long error = donate(type | (random.nextBoolean() ? NO_SYNC : 0), extents[e], extents[to], pa,
                        count * PAGE);
                boolean owns = true;
                for (int i = page; i < page + count; i++) {
                    owns &= owner[i] == e;
                }
                if (e == to) {
                    assertThat(error).as("seed %d", seed).isNotZero();
                } else {
                    assertThat(error).as("seed %d step %d", seed, step)
                            .isEqualTo(owns ? 0 : HypError.MEMDB_NOT_OWNER.code());
                    for (int i = page; owns && i < page + count; i++) {
                        owner[i] = to;
                    }
                }
            } else if (random.nextBoolean()) {
                // each extent has its own window, so that mappings do not replace each other
                long ipa = IPA + e * 0x100_0000L + page * PAGE;
                Machine.must(map(spaces[s], extents[e], ipa, RW_WB, PARTIAL, pa, count * PAGE));
                for (int i = 0; i < count; i++) {
                    recorded[e][s][page + i] = ipa + i * PAGE;
                }
            } else {
                long ipa = IPA + e * 0x100_0000L + page * PAGE;
                boolean all = true;
                for (int i = 0; i < count; i++) {
                    all &= recorded[e][s][page + i] != 0;
                }
                assertThat(unmap(spaces[s], extents[e], ipa, PARTIAL, pa, count * PAGE))
                        .as("seed %d step %d", seed, step).isEqualTo(all ? 0 : HypError.ADDR_INVALID.code());
                for (int i = 0; all && i < count; i++) {
                    recorded[e][s][page + i] = 0;
                }
            }
            if (step % 16 == 0) {
                for (int i = 0; i < pages; i++) {
                    assertThat(owner(P0 + i * PAGE)).isEqualTo(id(extents[owner[i]]));
                    for (int x = 0; x < 3; x++) {
                        for (int y = 0; y < 2; y++) {
                            boolean mapped = pa(spaces[y], IPA + x * 0x100_0000L + i * PAGE) == P0 + i * PAGE;
                            assertThat(mapped).as("seed %d step %d extent %d space %d page %d", seed, step, x, y, i)
                                    .isEqualTo(owner[i] == x && recorded[x][y][i] != 0);
                        }
                    }
                }
            }
        }
    }

    @Test
    void theInformationAreaIsClearedAndKeptForTheVm() {
        long area = m.derived(m.rootExtentCap, P0, PAGE, Machine.RWX_BASIC);
        RawMemory.RAW.putLong(m.memory.hostAddress(P0), 0x1234);
        long space = m.create(0x03);
        Machine.must(m.call(0x2E, space, 21, 0));
        Machine.must(m.call(0x5B, space, area, 0x8000_0000L, 0));
        Machine.must(m.call(0x0C, space, 0));
        assertThat(RawMemory.RAW.getLong(m.memory.hostAddress(P0))).isZero();

        long child = m.create(0x04);
        Machine.must(m.call(0x32, child, area, 0, PAGE, Machine.RWX_BASIC, 0));
        assertThat(HypError.of(m.call(0x0C, child, 0))).isEqualTo(HypError.BUSY);
        long other = m.create(0x03);
        Machine.must(m.call(0x2E, other, 22, 0));
        Machine.must(m.call(0x5B, other, area, 0x8000_0000L, 0));
        assertThat(HypError.of(m.call(0x0C, other, 0))).isEqualTo(HypError.BUSY);
        assertThat(HypError.of(m.call(0x0C, other, 0))).as("without the area").isEqualTo(HypError.OK);
        Machine.must(m.call(0x22, m.cspaceCap, space, 0));
        Machine.must(m.call(0x0C, child, 0));
    }
}
