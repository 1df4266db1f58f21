package gunyah.rm.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whole packets as the public implementations put them on the queue. */
class MessagesTest {
    private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

    private static String packet(PacketType type, MessageId id, Payload payload) {
        return HEX.formatHex(Fragmenter.split(new RmMessage(type, 5, id.id(), payload.encode())).getFirst());
    }

    private static byte[] hex(String text) {
        return HEX.parseHex(text);
    }

    private static void assertRefused(RmError error, Runnable decoding) {
        assertThatThrownBy(decoding::run).isInstanceOf(RmFault.class)
                .extracting(fault -> ((RmFault) fault).error()).isEqualTo(error);
    }

    @Test
    void requestsHaveTheirGoldenBytes() {
        assertThat(packet(PacketType.REQUEST, MessageId.VM_ALLOC_VMID, new VmRequest(0)))
                .isEqualTo("21 01 05 00 01 00 00 56 00 00 00 00");
        assertThat(packet(PacketType.REQUEST, MessageId.VM_STOP, new StopRequest(0x80, 1, 3)))
                .isEqualTo("21 01 05 00 05 00 00 56 80 00 01 00 03 00 00 00");
        assertThat(packet(PacketType.REQUEST, MessageId.VM_SET_BOOT_CONTEXT, new BootContext(0x80, 1, 0, 0x80080000L)))
                .isEqualTo("21 01 05 00 31 00 00 56 80 00 01 00 00 00 00 00 00 00 08 80 00 00 00 00");
        assertThat(packet(PacketType.REQUEST, MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(0x80, 7)), List.of(new MemRange(0x9000_0000L, 0x20_0000)), List.of())))
                .isEqualTo("21 01 05 00 12 00 00 51 00 00 00 00 00 00 00 00 01 00 00 00 80 00 07 00 01 00 00 00 "
                        + "00 00 00 90 00 00 00 00 00 00 20 00 00 00 00 00 00 00 00 00");
    }

    @Test
    void repliesHaveTheirGoldenBytes() {
        assertThat(packet(PacketType.REPLY, MessageId.VM_ALLOC_VMID, Reply.ofWord(0x80)))
                .isEqualTo("21 02 05 00 01 00 00 56 00 00 00 00 80 00 00 00");
        byte[] unknown = Fragmenter.split(new RmMessage(PacketType.REPLY, 5, 0x560000ff,
                Reply.of(RmError.UNIMPLEMENTED).encode())).getFirst();
        assertThat(HEX.formatHex(unknown)).isEqualTo("21 02 05 00 ff 00 00 56 ff ff ff ff");
    }

    @Test
    void notificationsHaveTheirGoldenBytes() {
        assertThat(packet(PacketType.NOTIFICATION, MessageId.VM_STATUS,
                new VmStatus(0x80, VmState.RUNNING.value(), 0, 0)))
                .isEqualTo("21 03 05 00 08 00 10 56 80 00 00 00 03 00 00 00");
        assertThat(packet(PacketType.NOTIFICATION, MessageId.VM_EXITED,
                VmExited.of(0x80, ExitType.PLATFORM_OFF, 0, 0)))
                .isEqualTo("21 03 05 00 01 00 10 56 80 00 01 00 04 00 00 00 00 00 00 00");
        VmExited reset2 = VmExited.ofReset2(0x80, VmExited.RESET2_SMC64, 0, 0x8000_0001, 0x1122_3344_5566_7788L);
        assertThat(HEX.formatHex(reset2.encode()))
                .isEqualTo("80 00 03 00 10 00 00 00 00 80 00 00 01 00 00 80 88 77 66 55 44 33 22 11");
    }

    @Test
    void fixedPayloadsRoundTripAndRefuseOtherLengths() {
        ConfigImage image = new ConfigImage(0x81, 0, 7, 0, 0, 0x1000, 0x3456);
        AddressLayout layout = new AddressLayout(0x81, AddressLayout.IMAGE, 0x8000_0000L, 0x20_0000);
        StopRequest stop = new StopRequest(0x81, 1, 3);
        BootContext context = new BootContext(0x81, 2, 1, -16);

        assertThat(ConfigImage.decode(image.encode())).isEqualTo(image);
        assertThat(AddressLayout.decode(layout.encode())).isEqualTo(layout);
        assertThat(StopRequest.decode(stop.encode())).isEqualTo(stop);
        assertThat(BootContext.decode(context.encode())).isEqualTo(context);
        assertRefused(RmError.MSG_INVALID, () -> ConfigImage.decode(new byte[39]));
        assertRefused(RmError.MSG_INVALID, () -> AddressLayout.decode(new byte[25]));
        assertRefused(RmError.MSG_INVALID, () -> StopRequest.decode(new byte[0]));
        assertRefused(RmError.MSG_INVALID, () -> BootContext.decode(new byte[12]));
        assertRefused(RmError.MSG_INVALID, () -> VmRequest.decode(new byte[2]));
    }

    @Test
    void demandPagingMustHaveExactlyItsRanges() {
        DemandPaging request = new DemandPaging(0x80, List.of(new MemRange(0x8000_0000L, 0x1000_0000)));

        assertThat(DemandPaging.decode(request.encode())).isEqualTo(request);
        assertRefused(RmError.MSG_INVALID, () -> DemandPaging.decode(hex("80 00 00 00 01 00 00 00")));
        assertRefused(RmError.MSG_INVALID, () -> DemandPaging.decode(hex("80 00 00 00 ff ff ff ff")));
    }

    @Test
    void hypervisorResourcesAre44BytesEach() {
        List<HypResource> entries = List.of(HypResource.of(ResourceType.VCPU, 0, 1, 0x1122_3344_5566_7788L, 960),
                new HypResource(9, 0x80, 0, 3, 5, 0, 0, 0x1000, 0x2000));

        byte[] body = HypResource.encode(entries);

        assertThat(body).hasSize(4 + 2 * 44);
        assertThat(HEX.formatHex(body, 4, 48)).isEqualTo("04 00 00 00 00 00 00 00 01 00 00 00 88 77 66 55 44 33 22 11 "
                + "00 00 00 00 c0 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
        assertThat(HypResource.decode(body)).isEqualTo(entries);
        assertThat(HypResource.MAX_ENTRIES).isEqualTo(332);
        assertRefused(RmError.MSG_INVALID, () -> HypResource.decode(java.util.Arrays.copyOf(body, body.length - 1)));
    }

    @Test
    void parcelListsMayEndEarlyButNotInTheMiddle() {
        String head = "00 00 00 00 2a 00 00 00 01 00 ff ff 80 00 06 00 ";
        ParcelCreate request = ParcelCreate.decode(hex(head + "01 00 00 00 00 00 00 90 00 00 00 00 00 10 00 00 00 00 00 00"));

        assertThat(request.label()).isEqualTo(0x2a);
        assertThat(request.acl()).containsExactly(new AclEntry(0x80, 6));
        assertThat(request.ranges()).containsExactly(new MemRange(0x9000_0000L, 0x1000));
        assertThat(request.attributes()).isEmpty();
        assertRefused(RmError.MSG_INVALID, () -> ParcelCreate.decode(hex(head + "01 00 00 00 00 00 00 90")));
        assertRefused(RmError.NORESOURCE, () -> ParcelCreate.decode(hex(head + "01 02 00 00 00 00 00 90")));
        assertRefused(RmError.MSG_INVALID, () -> ParcelCreate.decode(hex(head + "00 00 00 00 00 00 00 00 99 00 00 00")));
    }

    @Test
    void acceptCarriesMapVmidInTheSpareOfItsRanges() {
        ParcelAccept request = new ParcelAccept(3, 0, 1, ParcelAccept.DONE, 9, List.of(),
                List.of(new MemRange(0x4000_0000L, 0x1000)), 5, List.of());

        assertThat(ParcelAccept.decode(request.encode())).isEqualTo(request);
        assertRefused(RmError.MSG_INVALID, () -> ParcelAccept.decode(new byte[20]));
    }

    @Test
    void everyMessageIdIsUsedOnce() {
        assertThat(MessageId.values()).extracting(MessageId::id).doesNotHaveDuplicates();
        assertThat(MessageId.of(0x56100008)).contains(MessageId.VM_STATUS);
        assertThat(MessageId.VM_STATUS.isNotification()).isTrue();
        assertThat(MessageId.of(0x560000ff)).isEmpty();
    }
}
