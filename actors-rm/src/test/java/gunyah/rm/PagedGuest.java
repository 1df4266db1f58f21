package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.HypercallPort.ExternalAbort;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.WireReader;
import java.util.List;

/**
 * A VM as the Linux v17 driver makes one: its device tree is a lent parcel, its owner lends and shares the other pages
 * one by one by hypercalls of its own and runs its vCPUs. Belongs to one thread of the test.
 */
final class PagedGuest {
    static final long PARCEL = 0x4200_0000L;
    static final int PARCEL_SIZE = 0x4000;
    /** The primary VM's page for {@link #lendAPage} and where the guest gets it. */
    static final long PAGE = 0x4210_0000L;
    static final long TREE_IPA = 0x8000_0000L;
    static final long PAGE_IPA = TREE_IPA + 0x10_0000;

    private static final long RAM_SIZE = 0x1000_0000;
    private static final int SIZE = 0x1000;
    private static final int DONATE = 0x61;
    private static final int TO_SIBLING = 2;
    private static final int TO_PROTECTED = 3;
    private static final int FROM_PROTECTED = 4;
    private static final int MAP = 0x2b;
    private static final int UNMAP = 0x2c;
    private static final long RWX = 0xf_0077;
    private static final long RW = 0xf_0066;
    private static final int PRIVATE = 3;
    private static final int SHARED = 5;

    final int vmid;
    private final RealHost host;
    private int handle = -1;
    private List<HypResource> resources = List.of();

    PagedGuest(RealHost host) {
        this.host = host;
        this.vmid = new WireReader(host.ok(MessageId.VM_ALLOC_VMID, new VmRequest(0))).u32();
    }

    /** Everything up to INIT. */
    void configure(DtNode tree) {
        byte[] blob = GuestTrees.blob(tree);
        host.port.write(PARCEL, blob, 0, blob.length);
        handle = new WireReader(host.ok(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(vmid, 7)), List.of(new MemRange(PARCEL, PARCEL_SIZE)), List.of()))).u32();
        assertThatThrownBy(() -> host.port.write(PARCEL, blob, 0, 1)).isInstanceOf(ExternalAbort.class);
        host.ok(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, 0, handle, 0, 0, 0, PARCEL_SIZE));
        host.ok(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(vmid, List.of(new MemRange(TREE_IPA, RAM_SIZE))));
        host.ok(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(vmid, 0, TREE_IPA, PARCEL_SIZE));
        host.ok(MessageId.VM_INIT, new VmRequest(vmid));
        resources = HypResource.decode(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid)));
    }

    void start() {
        host.ok(MessageId.VM_START, new VmRequest(vmid));
        handle = -1;
    }

    /** {@return the parcel of its device tree, -1 as long as there is none and when its pages are the guest's} */
    int handle() {
        return handle;
    }

    /** {@return the owner's cap of this kind} */
    long cap(ResourceType type, int label) {
        return resources.stream().filter(r -> r.type() == type.value() && r.label() == label).findFirst().orElseThrow()
                .capId();
    }

    /** {@return the owner's lines that it has to do with} */
    List<Integer> lines() {
        return resources.stream().map(HypResource::virq).filter(line -> line != 0).toList();
    }

    private long guestPrivate() {
        return cap(ResourceType.MEMEXTENT, 0);
    }

    private long hostPrivate() {
        return cap(ResourceType.MEMEXTENT, 2);
    }

    private long addrspace() {
        return cap(ResourceType.ADDRSPACE, 0);
    }

    /** {@return what vCPU 0 stops with} */
    long[] run() {
        return host.run(cap(ResourceType.VCPU, 0));
    }

    /** {@return the device tree as the Resource Manager completed it} */
    DtNode patched() {
        byte[] blob = new byte[PARCEL_SIZE];
        host.hypervisor.memory().read(PARCEL, blob, 0, blob.length);
        return Fdt.parse(blob).root();
    }

    /** Lends {@link #PAGE} with what is in it. */
    void lendAPage() {
        ok(DONATE, TO_PROTECTED, hostPrivate(), guestPrivate(), PAGE, SIZE);
        ok(MAP, addrspace(), guestPrivate(), PAGE_IPA, RWX, PRIVATE, PAGE, SIZE);
        assertThatThrownBy(() -> host.port.write(PAGE, new byte[1], 0, 1)).isInstanceOf(ExternalAbort.class);
    }

    /** Takes {@link #PAGE} back from a guest that has exited. */
    void takePageBack() {
        takeBack(PAGE_IPA, PAGE);
    }

    /** Takes the pages of the device tree back from a guest that has exited. */
    void takeTreeBack() {
        for (long at = 0; at < PARCEL_SIZE; at += SIZE) {
            takeBack(TREE_IPA + at, PARCEL + at);
        }
    }

    private void takeBack(long ipa, long page) {
        ok(UNMAP, addrspace(), guestPrivate(), ipa, PRIVATE, page, SIZE);
        ok(DONATE, FROM_PROTECTED, guestPrivate(), hostPrivate(), page, SIZE);
        host.port.write(page, new byte[] {3}, 0, 1);
    }

    /** Shares a page with the guest and takes it back; it never leaves the primary VM's sight. */
    void shareAPage() {
        long page = PAGE + SIZE;
        long ipa = 0xa000_0000L;
        long hostShared = cap(ResourceType.MEMEXTENT, 1);
        long guestShared = cap(ResourceType.MEMEXTENT, 3);
        ok(DONATE, TO_SIBLING, hostShared, guestShared, page, SIZE);
        ok(MAP, addrspace(), guestShared, ipa, RW, SHARED, page, SIZE);
        host.port.write(page, new byte[] {1}, 0, 1);
        ok(UNMAP, addrspace(), guestShared, ipa, SHARED, page, SIZE);
        ok(DONATE, TO_SIBLING, guestShared, hostShared, page, SIZE);
        host.port.write(page, new byte[] {2}, 0, 1);
    }

    private void ok(int number, long... arguments) {
        assertThat(host.call(number, arguments)[0]).as("hypercall 0x%x", number).isZero();
    }
}
