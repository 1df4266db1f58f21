package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.hyp.HypError;
import gunyah.vmm.driver.FakeGunyah.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bindings, demand paging and what it asks of the hypervisor, argument by argument. */
class MemoryMapTest {
    private static final long RAM = 0x4000_0000L;
    private static final long HOST = 0x8020_0000L;
    private static final long ADDRSPACE = 0x100;
    private static final long GUEST_PRIVATE = 0x200;
    private static final long HOST_SHARED = 0x201;
    private static final long HOST_PRIVATE = 0x202;
    private static final long GUEST_SHARED = 0x203;
    private static final int LEND = Uapi.MEM_FORCE_LEND | Uapi.MEM_ALLOW_RWX;
    private static final int SHARE = Uapi.MEM_FORCE_SHARE | Uapi.MEM_ALLOW_READ | Uapi.MEM_ALLOW_WRITE;
    private static final int SHARE_CODE = Uapi.MEM_FORCE_SHARE | Uapi.MEM_ALLOW_RWX;

    private final FakeGunyah gunyah = new FakeGunyah();
    private final HostPages pages = new HostPages(gunyah, HOST, 16 << 20);
    private final MemoryMap map = newMap();

    private MemoryMap newMap() {
        return new MemoryMap(() -> new Hvc(gunyah), () -> 0x80, () -> PlatformHooks.NONE);
    }

    private GuestMemoryFile file(long size) {
        return new GuestMemoryFile(gunyah, pages, size, 0);
    }

    @BeforeEach
    void attach() {
        attach(map);
    }

    private static void attach(MemoryMap target) {
        target.attachAddrspace(ADDRSPACE);
        target.attachExtent(MemoryMap.Extent.GUEST_PRIVATE, GUEST_PRIVATE);
        target.attachExtent(MemoryMap.Extent.HOST_SHARED, HOST_SHARED);
        target.attachExtent(MemoryMap.Extent.HOST_PRIVATE, HOST_PRIVATE);
        target.attachExtent(MemoryMap.Extent.GUEST_SHARED, GUEST_SHARED);
    }

    @Test
    void aLentPageIsDonatedToTheProtectedExtentAndMappedPrivate() {
        map.map(file(0x10000), RAM, 0x10000, 0, LEND);

        assertThat(map.fault(RAM + 0x3abc, true)).isEqualTo(Errno.OK);

        assertThat(gunyah.takeCalls()).containsExactly(
                Call.of(Hvc.MEMEXTENT_DONATE, 3, HOST_PRIVATE, GUEST_PRIVATE, HOST, 0x1000, 0, 0),
                Call.of(Hvc.ADDRSPACE_MAP, ADDRSPACE, GUEST_PRIVATE, RAM + 0x3000, 0xF0077, 0x3, HOST, 0x1000));
    }

    @Test
    void aSharedPageIsDonatedToTheSiblingAndMappedForVmmio() {
        map.map(file(0x10000), 0x8_0000, 0x10000, 0, SHARE);

        map.fault(0x8_0000, false);

        assertThat(gunyah.takeCalls()).containsExactly(
                Call.of(Hvc.MEMEXTENT_DONATE, 2, HOST_SHARED, GUEST_SHARED, HOST, 0x1000, 0, 0),
                Call.of(Hvc.ADDRSPACE_MAP, ADDRSPACE, GUEST_SHARED, 0x8_0000, 0xF0066, 0x5, HOST, 0x1000));
    }

    /** The VMMIO kind of mapping may not be executed; an ordinary one is asked for, and undone as one. */
    @Test
    void sharedMemoryThatMayBeExecutedIsMappedAsOrdinaryMemory() {
        map.map(file(0x1000), 0x8_0000, 0x1000, 0, SHARE_CODE);

        map.fault(0x8_0000, false);
        assertThat(map.release()).isZero();

        assertThat(gunyah.takeCalls()).containsExactly(
                Call.of(Hvc.MEMEXTENT_DONATE, 2, HOST_SHARED, GUEST_SHARED, HOST, 0x1000, 0, 0),
                Call.of(Hvc.ADDRSPACE_MAP, ADDRSPACE, GUEST_SHARED, 0x8_0000, 0xF0077, 0x1, HOST, 0x1000),
                Call.of(Hvc.ADDRSPACE_UNMAP, ADDRSPACE, GUEST_SHARED, 0x8_0000, 0x1, HOST, 0x1000, 0),
                Call.of(Hvc.MEMEXTENT_DONATE, 2, GUEST_SHARED, HOST_SHARED, HOST, 0x1000, 0, 0));
    }

    @Test
    void populatingProvidesWhatIsNotThereYetFolioByFolio() {
        map.map(file(0x4000), RAM, 0x4000, 0, LEND);
        map.map(new GuestMemoryFile(gunyah, pages, 4 << 20, Uapi.GUEST_MEM_ALLOW_HUGEPAGE), RAM + (2 << 20), 4 << 20, 0,
                LEND);
        map.fault(RAM + 0x1000, true);
        gunyah.takeCalls();

        assertThat(map.populate(RAM, 0x4000)).isEqualTo(Errno.OK);
        assertThat(map.populate(RAM + (2 << 20), 4 << 20)).isEqualTo(Errno.OK);
        assertThat(gunyah.takeCalls()).hasSize(2 * 3 + 2 * 2);
        assertThat(map.populate(RAM, 0x5000)).isEqualTo(Errno.ENOENT);
    }

    @Test
    void readOnlyBindingsMapWithoutWrite() {
        map.map(file(0x1000), RAM, 0x1000, 0, Uapi.MEM_FORCE_LEND | Uapi.MEM_ALLOW_READ);
        map.map(file(0x1000), 0x8_0000, 0x1000, 0, Uapi.MEM_FORCE_SHARE | Uapi.MEM_ALLOW_READ);

        map.fault(RAM, false);
        map.fault(0x8_0000, false);

        assertThat(gunyah.takeCalls()).filteredOn(call -> call.function() == Hvc.ADDRSPACE_MAP)
                .extracting(call -> call.arguments().get(3)).containsExactly(0xF0055L, 0xF0044L);
        assertThat(map.fault(RAM, true)).isEqualTo(Errno.EPERM);
    }

    @Test
    void takingBackUnmapsAndDonatesWithoutSyncOnAllButTheLast() {
        map.map(file(0x10000), RAM, 0x10000, 0, LEND);
        map.fault(RAM, false);
        map.fault(RAM + 0x1000, false);
        map.fault(RAM + 0x5000, false);
        gunyah.takeCalls();

        assertThat(map.release()).isZero();

        assertThat(gunyah.takeCalls()).containsExactly(
                Call.of(Hvc.ADDRSPACE_UNMAP, ADDRSPACE, GUEST_PRIVATE, RAM, 0x8000_0003L, HOST, 0x1000, 0),
                Call.of(Hvc.MEMEXTENT_DONATE, 4, GUEST_PRIVATE, HOST_PRIVATE, HOST, 0x1000, 0, 0),
                Call.of(Hvc.ADDRSPACE_UNMAP, ADDRSPACE, GUEST_PRIVATE, RAM + 0x1000, 0x8000_0003L, HOST + 0x1000,
                        0x1000, 0),
                Call.of(Hvc.MEMEXTENT_DONATE, 4, GUEST_PRIVATE, HOST_PRIVATE, HOST + 0x1000, 0x1000, 0, 0),
                Call.of(Hvc.ADDRSPACE_UNMAP, ADDRSPACE, GUEST_PRIVATE, RAM + 0x5000, 0x3, HOST + 0x2000, 0x1000, 0),
                Call.of(Hvc.MEMEXTENT_DONATE, 4, GUEST_PRIVATE, HOST_PRIVATE, HOST + 0x2000, 0x1000, 0, 0));
        assertThat(map.pagesLent()).isEqualTo(3);
        assertThat(map.pagesReturned()).isEqualTo(3);
    }

    @Test
    void aSecondFaultOnAPageSaysTryAgain() {
        map.map(file(0x1000), RAM, 0x1000, 0, LEND);
        map.fault(RAM, false);
        gunyah.takeCalls();

        assertThat(map.fault(RAM, true)).isEqualTo(Errno.EAGAIN);

        assertThat(gunyah.takeCalls()).isEmpty();
    }

    @Test
    void aMapThatFailsIsUnwoundAndTheNextFaultTriesAgain() {
        map.map(file(0x1000), RAM, 0x1000, 0, LEND);
        gunyah.fail(Hvc.ADDRSPACE_MAP, HypError.NOMEM);

        assertThat(map.fault(RAM, false)).isEqualTo(Errno.ENOMEM);
        assertThat(gunyah.takeCalls()).extracting(call -> call.arguments().getFirst())
                .containsExactly(3L, ADDRSPACE, 4L);
        assertThat(map.fault(RAM, false)).isEqualTo(Errno.OK);
        assertThat(map.pagesLent() - map.pagesReturned()).isEqualTo(1);
    }

    @Test
    void beforeTheResourcesCameThereIsNoDevice() {
        MemoryMap bare = newMap();
        bare.map(file(0x1000), RAM, 0x1000, 0, LEND);

        assertThat(bare.fault(RAM, false)).isEqualTo(Errno.ENODEV);
    }

    @Test
    void illegalMappingsAreInvalid() {
        GuestMemoryFile file = file(0x10000);

        assertThat(map.map(file, RAM, 0x1000, 0, Uapi.MEM_FORCE_LEND)).isEqualTo(Errno.EINVAL);
        assertThat(map.map(file, RAM, 0x1000, 0, 3 | Uapi.MEM_ALLOW_RWX)).isEqualTo(Errno.EINVAL);
        assertThat(map.map(file, RAM + 1, 0x1000, 0, LEND)).isEqualTo(Errno.EINVAL);
        assertThat(map.map(file, RAM, 0x1000, 1, LEND)).isEqualTo(Errno.EINVAL);
        assertThat(map.map(file, RAM, 0x1001, 0, LEND)).isEqualTo(Errno.EINVAL);
        assertThat(map.map(file, RAM, 0x1000, 0x10000, LEND)).isEqualTo(Errno.EINVAL);
        assertThat(map.map(file, RAM, 0x1000, 0, LEND | 0x200)).isEqualTo(Errno.EINVAL);
    }

    @Test
    void neitherAddressesNorFileRangesAreBoundTwice() {
        GuestMemoryFile file = file(0x20000);
        MemoryMap other = newMap();
        map.map(file, RAM, 0x10000, 0, LEND);

        assertThat(map.map(file, 0x9000_0000L, 0x10000, 0, LEND)).isEqualTo(Errno.EEXIST);
        assertThat(other.map(file, RAM, 0x1000, 0xf000, SHARE)).isEqualTo(Errno.EEXIST);
        assertThat(map.map(file(0x1000), RAM + 0xf000, 0x1000, 0, LEND)).isEqualTo(Errno.EEXIST);
        assertThat(other.map(file, RAM, 0x10000, 0x10000, LEND)).isEqualTo(Errno.OK);
    }

    @Test
    void unmapWantsTheBindingItself() {
        GuestMemoryFile file = file(0x10000);
        map.map(file, RAM, 0x8000, 0x1000, LEND);

        assertThat(map.unmap(file, RAM + 0x10000, 0x1000, 0x1000, LEND)).isEqualTo(Errno.ENOENT);
        assertThat(map.unmap(file, RAM, 0x8000, 0x1000, SHARE)).isEqualTo(Errno.ENOENT);
        assertThat(map.unmap(file, RAM, 0x8000, 0x1000, Uapi.MEM_FORCE_LEND | Uapi.MEM_ALLOW_READ))
                .isEqualTo(Errno.ENOENT);
        assertThat(map.unmap(file, RAM, 0x8000, 0x2000, LEND)).isEqualTo(Errno.ENOENT);
        assertThat(map.unmap(file, RAM, 0x8000, 0x1000, LEND)).isEqualTo(Errno.OK);
    }

    @Test
    void headAndTailCanBeTrimmedButNoHoleMade() {
        GuestMemoryFile file = file(0x10000);
        map.map(file, RAM, 0x8000, 0, LEND);
        map.fault(RAM + 0x1000, false);

        assertThat(map.unmap(file, RAM + 0x2000, 0x1000, 0x2000, LEND)).isEqualTo(Errno.EINVAL);
        assertThat(map.unmap(file, RAM + 0x6000, 0x2000, 0x6000, LEND)).isEqualTo(Errno.OK);
        assertThat(map.unmap(file, RAM, 0x1000, 0, LEND)).isEqualTo(Errno.OK);

        assertThat(map.lentRanges()).containsExactly(new RmClient.Range(RAM + 0x1000, 0x5000));
        assertThat(map.fault(RAM, false)).isEqualTo(Errno.ENOENT);
        assertThat(map.fault(RAM + 0x6000, false)).isEqualTo(Errno.ENOENT);
        assertThat(map.fault(RAM + 0x1000, false)).isEqualTo(Errno.EAGAIN);
    }

    @Test
    void aPageTheHostMapsIsNotLent() {
        GuestMemoryFile file = file(0x10000);
        map.map(file, RAM, 0x10000, 0, LEND);
        HostMapping mapping = file.map(0x2000, 0x1000);

        assertThat(map.fault(RAM + 0x2000, true)).isEqualTo(Errno.EPERM);
        assertThat(map.fault(RAM + 0x3000, true)).isEqualTo(Errno.OK);
        mapping.close();

        assertThat(map.fault(RAM + 0x2000, true)).isEqualTo(Errno.OK);
    }

    @Test
    void theHostCannotMapWhatTheGuestKeeps() {
        GuestMemoryFile file = file(0x10000);
        map.map(file, RAM, 0x10000, 0, LEND);
        map.fault(RAM, true);
        gunyah.fail(Hvc.ADDRSPACE_UNMAP, HypError.BUSY);

        assertThatThrownBy(() -> file.map(0, 0x1000)).hasMessageContaining("EBUSY");
        assertThat(map.fault(RAM, false)).isEqualTo(Errno.EAGAIN);
        assertThat(map.pagesReturned()).isZero();
    }

    @Test
    void aPunchedPageComesBackFirst() {
        GuestMemoryFile file = file(0x10000);
        map.map(file, RAM, 0x10000, 0, LEND);
        map.fault(RAM, true);
        gunyah.takeCalls();

        file.punchHole(0, 0x4000);

        assertThat(gunyah.takeCalls()).extracting(Call::function)
                .containsExactly(Hvc.ADDRSPACE_UNMAP, Hvc.MEMEXTENT_DONATE);
        assertThat(file.allocatedBytes()).isZero();
        assertThat(map.fault(RAM, true)).isEqualTo(Errno.OK);
    }

    @Test
    void aHugeFolioIsDonatedOnceForItsWholeBlock() {
        GuestMemoryFile file = new GuestMemoryFile(gunyah, pages, 4 << 20, Uapi.GUEST_MEM_ALLOW_HUGEPAGE);
        assertThat(map.map(file, RAM + 0x1000, 2 << 20, 0, LEND)).isEqualTo(Errno.EINVAL);
        map.map(file, RAM, 4 << 20, 0, LEND);

        assertThat(map.fault(RAM + 0x20_3000, true)).isEqualTo(Errno.OK);
        assertThat(map.fault(RAM + 0x3f_f000, true)).isEqualTo(Errno.EAGAIN);

        assertThat(gunyah.takeCalls()).containsExactly(
                Call.of(Hvc.MEMEXTENT_DONATE, 3, HOST_PRIVATE, GUEST_PRIVATE, HOST, 0x20_0000, 0, 0),
                Call.of(Hvc.ADDRSPACE_MAP, ADDRSPACE, GUEST_PRIVATE, RAM + 0x20_0000, 0xF0077, 0x3, HOST, 0x20_0000));
        assertThat(map.reclaimPage(RAM + 0x20_5000)).isEqualTo(Errno.OK);
        assertThat(map.pagesReturned()).isEqualTo(512);
    }

    @Test
    void aParcelCoversEveryPageTouchedAndHonoursTheFileOffset() {
        GuestMemoryFile file = file(0x10_0000);
        map.map(file, RAM, 0x8000, 0x8_0000, LEND);
        map.fault(RAM, true);

        MemoryMap.Parcel parcel = map.parcel(RAM + 0x1f00, 0x200);

        assertThat(parcel.gpa()).isEqualTo(RAM + 0x1000);
        assertThat(parcel.size()).isEqualTo(0x2000);
        assertThat(parcel.permissions()).isEqualTo(7);
        assertThat(parcel.entries()).containsExactly(new RmClient.MemEntry(HOST + 0x1000, 0x1000),
                new RmClient.MemEntry(HOST + 0x2000, 0x1000));
        assertThatThrownBy(() -> map.parcel(RAM + 0x7000, 0x2000)).hasMessageContaining("ENOENT");
        assertThatThrownBy(() -> map.parcel(0, 0x1000)).hasMessageContaining("ENOENT");
    }

    @Test
    void whatDidNotComeBackIsNeverUsedAgain() {
        GuestMemoryFile file = file(0x1000);
        map.map(file, RAM, 0x1000, 0, LEND);
        map.fault(RAM, true);
        gunyah.fail(Hvc.ADDRSPACE_UNMAP, HypError.DENIED);

        assertThat(map.release()).isEqualTo(1);
        file.close();

        assertThat(pages.usedPages()).isEqualTo(1);
    }

    @Test
    void manyVcpusOnOnePageDonateItOnce() throws Exception {
        int count = 256;
        map.map(file(count * 0x1000L), RAM, count * 0x1000L, 0, LEND);
        CountDownLatch go = new CountDownLatch(1);
        try (ExecutorService vcpus = Executors.newFixedThreadPool(4)) {
            List<Future<?>> done = new ArrayList<>();
            for (int v = 0; v < 4; v++) {
                done.add(vcpus.submit(() -> {
                    go.await();
                    for (int i = 0; i < count; i++) {
                        assertThat(map.fault(RAM + i * 0x1000L, true)).isIn(Errno.OK, Errno.EAGAIN);
                    }
                    return null;
                }));
            }
            go.countDown();
            for (Future<?> each : done) {
                each.get();
            }
        }

        assertThat(gunyah.takeCalls()).filteredOn(call -> call.function() == Hvc.MEMEXTENT_DONATE).hasSize(count)
                .extracting(call -> call.arguments().get(3)).doesNotHaveDuplicates();
        assertThat(map.pagesLent()).isEqualTo(count);
    }

    @Test
    void fileArgumentsAreChecked() {
        assertThatThrownBy(() -> file(4097)).hasMessageContaining("EINVAL");
        assertThatThrownBy(() -> new GuestMemoryFile(gunyah, pages, 4096, 4)).hasMessageContaining("EINVAL");
    }

    @Test
    void aReusedHostPageReadsAsZero() {
        GuestMemoryFile first = file(0x1000);
        try (HostMapping mapping = first.map(0, 0x1000)) {
            mapping.write(0x10, new byte[] {1, 2, 3}, 0, 3);
        }
        first.close();
        GuestMemoryFile second = file(0x1000);
        byte[] content = new byte[0x1000];

        pages.reserve(HOST + 0x1000, 15 << 20);
        try (HostMapping mapping = second.map(0, 0x1000)) {
            mapping.read(0, content, 0, content.length);
        }

        assertThat(content).containsOnly(0);
    }
}
