package gunyah.rm;

import static gunyah.rm.Scope.any;
import static gunyah.rm.Scope.hlos;
import static gunyah.rm.Scope.owner;
import static gunyah.rm.Scope.query;
import static gunyah.rm.Scope.self;
import static gunyah.rm.rpc.RmError.ARGUMENT_INVALID;
import static gunyah.rm.rpc.RmError.BUSY;
import static gunyah.rm.rpc.RmError.DENIED;
import static gunyah.rm.rpc.RmError.HANDLE_INVALID;
import static gunyah.rm.rpc.RmError.IN_USE;
import static gunyah.rm.rpc.RmError.IRQ_INUSE;
import static gunyah.rm.rpc.RmError.IRQ_INVALID;
import static gunyah.rm.rpc.RmError.IRQ_RELEASED;
import static gunyah.rm.rpc.RmError.LOOKUP_FAILED;
import static gunyah.rm.rpc.RmError.MAP_FAILED;
import static gunyah.rm.rpc.RmError.MEM_INUSE;
import static gunyah.rm.rpc.RmError.MEM_INVALID;
import static gunyah.rm.rpc.RmError.MEM_RELEASED;
import static gunyah.rm.rpc.RmError.MSG_INVALID;
import static gunyah.rm.rpc.RmError.NOMEM;
import static gunyah.rm.rpc.RmError.NORESOURCE;
import static gunyah.rm.rpc.RmError.VALIDATE_FAILED;
import static gunyah.rm.rpc.RmError.VMID_INVALID;
import static gunyah.rm.rpc.RmError.VM_STATE;

import gunyah.rm.MessageRow.Service;
import gunyah.rm.memparcel.ParcelServices;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.AuthImage;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.ConsoleText;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.ExitRequest;
import gunyah.rm.rpc.FirmwareImage;
import gunyah.rm.rpc.FirmwareMemory;
import gunyah.rm.rpc.GuidRequest;
import gunyah.rm.rpc.IpaReserve;
import gunyah.rm.rpc.IrqAccept;
import gunyah.rm.rpc.IrqHandle;
import gunyah.rm.rpc.IrqLend;
import gunyah.rm.rpc.IrqNotify;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Nothing;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelLookup;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.StatusUpdate;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.TextRequest;
import gunyah.rm.rpc.TimeBase;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.vm.Addresses;
import gunyah.rm.vm.Call;
import gunyah.rm.vm.Consoles;
import gunyah.rm.vm.Firmware;
import gunyah.rm.vm.Interrupts;
import gunyah.rm.vm.VmConfiguration;
import gunyah.rm.vm.VmLifecycle;
import gunyah.rm.vm.VmQueries;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Every request that is served, one row each: how it is decoded, who may send it about whom, in which states, which
 * errors it may be answered with, and the service. Ids, names and layouts of all messages, also of those without a row,
 * are in {@link MessageId}. A request without a row is answered UNIMPLEMENTED.
 */
final class MessageTable {
    private final Map<MessageId, MessageRow<?>> rows = new EnumMap<>(MessageId.class);

    /** The services behind the rows. */
    record Services(VmLifecycle life, VmConfiguration configuration, VmQueries queries, ParcelServices parcels,
            Interrupts interrupts, Consoles consoles, Addresses addresses, Firmware firmware) {
    }

    MessageTable() {
        life();
        queries();
        parcels();
        others();
    }

    private void life() {
        row(MessageId.VM_ALLOC_VMID, VmRequest::decode, hlos(),
                now((s, c) -> s.life.allocate(c)), DENIED, MSG_INVALID, NORESOURCE);
        row(MessageId.VM_DEALLOC_VMID, VmRequest::decode,
                owner(VmRequest::vmid, DENIED).in(VmState.LOAD, VmState.INIT, VmState.INIT_FAILED, VmState.RESET),
                now((s, c) -> s.life.deallocate(c)),
                DENIED, MSG_INVALID, VM_STATE, VMID_INVALID, MEM_INUSE);
        row(MessageId.VM_CONFIG_IMAGE, ConfigImage::decode,
                owner(ConfigImage::vmid, DENIED).andHlos().in(VmState.LOAD, VmState.RESET),
                now((s, c) -> s.configuration.configImage(c)),
                DENIED, MSG_INVALID, VMID_INVALID, VM_STATE, MEM_INVALID, ARGUMENT_INVALID, NOMEM);
        row(MessageId.VM_AUTH_IMAGE, AuthImage::decode, owner(AuthImage::vmid, DENIED).andHlos().in(VmState.AUTH),
                now((s, c) -> s.configuration.authImage(c)), DENIED, MSG_INVALID, VMID_INVALID, VM_STATE);
        row(MessageId.VM_SET_FIRMWARE_MEM, FirmwareMemory::decode,
                query(FirmwareMemory::vmid, NORESOURCE, DENIED).in(VmState.INIT).withErrorWord(),
                now((s, c) -> s.configuration.setFirmwareMemory(c)),
                NORESOURCE, DENIED, VM_STATE, MSG_INVALID, ARGUMENT_INVALID, MEM_INVALID);
        row(MessageId.VM_SET_DEMAND_PAGING, DemandPaging::decode, owner(DemandPaging::vmid, DENIED).in(VmState.INIT),
                now((s, c) -> s.configuration.setDemandPaging(c)),
                DENIED, MSG_INVALID, VMID_INVALID, VM_STATE, ARGUMENT_INVALID);
        row(MessageId.VM_SET_ADDRESS_LAYOUT, AddressLayout::decode,
                owner(AddressLayout::vmid, DENIED).in(VmState.INIT), now((s, c) -> s.configuration.setAddressLayout(c)),
                DENIED, MSG_INVALID, VMID_INVALID, VM_STATE, ARGUMENT_INVALID);
        row(MessageId.VM_INIT, VmConfiguration::decodeInit, owner(VmRequest::vmid, DENIED).andHlos().in(VmState.INIT),
                now((s, c) -> s.configuration.init(c)),
                MSG_INVALID, VMID_INVALID, DENIED, VM_STATE, MEM_INVALID, ARGUMENT_INVALID, NORESOURCE, NOMEM);
        for (MessageId id : Set.of(MessageId.VM_SET_BOOT_CONTEXT, MessageId.VM_SET_BOOT_CONTEXT_V16)) {
            row(id, BootContext::decode, owner(BootContext::vmid, DENIED).in(VmState.READY),
                    now((s, c) -> s.configuration.setBootContext(c)),
                    DENIED, MSG_INVALID, VMID_INVALID, VM_STATE, ARGUMENT_INVALID);
        }
        row(MessageId.VM_START, VmRequest::decode, owner(VmRequest::vmid, DENIED).in(VmState.READY),
                now((s, c) -> s.life.start(c)),
                VMID_INVALID, DENIED, MSG_INVALID, VM_STATE, NORESOURCE, NOMEM, MEM_INVALID);
        row(MessageId.VM_STOP, StopRequest::decode,
                owner(StopRequest::vmid, VMID_INVALID).in(VmState.RUNNING, VmState.PAUSED), (s, c) -> s.life.stop(c),
                VMID_INVALID, MSG_INVALID, VM_STATE);
        row(MessageId.VM_EXIT, ExitRequest::decode,
                Scope.<ExitRequest>self().in(VmState.RUNNING, VmState.PAUSED), (s, c) -> s.life.exit(c),
                MSG_INVALID, VM_STATE);
        row(MessageId.VM_RESET, VmRequest::decode,
                owner(VmRequest::vmid, VMID_INVALID).in(VmState.EXITED, VmState.READY, VmState.INIT_FAILED),
                now((s, c) -> s.life.reset(c)), VMID_INVALID, MSG_INVALID, DENIED, VM_STATE);
    }

    private void queries() {
        row(MessageId.VM_GET_VMID, Nothing::decode, self(), now((s, c) -> s.queries.vmid(c)), MSG_INVALID);
        row(MessageId.VM_GET_OWNER, Nothing::decode, self(), now((s, c) -> s.queries.owner(c)), MSG_INVALID);
        row(MessageId.VM_GET_PEERS, Nothing::decode, self(), now((s, c) -> s.queries.peers(c)), MSG_INVALID);
        row(MessageId.VM_GET_STATE, VmRequest::decode, query(VmRequest::vmid, NORESOURCE, DENIED),
                now((s, c) -> s.queries.state(c)), NORESOURCE, DENIED, MSG_INVALID);
        row(MessageId.VM_GET_ID, VmRequest::decode, query(VmRequest::vmid, NORESOURCE, NORESOURCE)
                .in(VmState.READY, VmState.RUNNING, VmState.PAUSED),
                now((s, c) -> s.queries.id(c)), NORESOURCE, VM_STATE, MSG_INVALID);
        row(MessageId.VM_LOOKUP_NAME, TextRequest::decode, any(), now((s, c) -> s.queries.lookupName(c)),
                ARGUMENT_INVALID, MSG_INVALID);
        row(MessageId.VM_LOOKUP_URI, TextRequest::decode, any(), now((s, c) -> s.queries.lookupUri(c)),
                ARGUMENT_INVALID, MSG_INVALID);
        row(MessageId.VM_LOOKUP_GUID, GuidRequest::decode, any(), now((s, c) -> s.queries.lookupGuid(c)), MSG_INVALID);
        row(MessageId.VM_SET_STATUS, StatusUpdate::decode, self(), now((s, c) -> s.queries.setStatus(c)),
                DENIED, ARGUMENT_INVALID, MSG_INVALID);
        row(MessageId.VM_SET_CRASH_MSG, TextRequest::decode, self(),
                now((s, c) -> s.queries.setCrashMessage(c)), MSG_INVALID);
        row(MessageId.VM_GET_CRASH_MSG, VmRequest::decode, owner(VmRequest::vmid, VMID_INVALID),
                now((s, c) -> s.queries.crashMessage(c)), VMID_INVALID, MSG_INVALID);
        row(MessageId.VM_SET_TIME_BASE, TimeBase::decode, query(TimeBase::vmid, NORESOURCE, DENIED)
                .in(VmState.INIT, VmState.READY).withErrorWord(), now((s, c) -> s.queries.setTimeBase(c)),
                NORESOURCE, DENIED, VM_STATE, ARGUMENT_INVALID, MSG_INVALID);
        row(MessageId.VM_GET_HYP_RESOURCES, VmRequest::decode, any(), now((s, c) -> s.queries.resources(c)),
                ARGUMENT_INVALID, NORESOURCE, MSG_INVALID);
        row(MessageId.VM_HOST_GET_TYPE, Nothing::decode, any(), now((s, c) -> s.queries.hostType(c)), MSG_INVALID);
    }

    private void parcels() {
        create(MessageId.MEM_DONATE, ParcelTransfer.DONATE);
        create(MessageId.MEM_LEND, ParcelTransfer.LEND);
        create(MessageId.MEM_SHARE, ParcelTransfer.SHARE);
        row(MessageId.MEM_APPEND, ParcelAppend::decode, any(), now((s, c) -> s.parcels.append(c.caller(), c.request())),
                MSG_INVALID, HANDLE_INVALID, DENIED, ARGUMENT_INVALID, MEM_INVALID, MAP_FAILED, NOMEM, NORESOURCE);
        row(MessageId.MEM_ACCEPT, ParcelAccept::decode, any(), now((s, c) -> s.parcels.accept(c.caller(), c.request())),
                MSG_INVALID, HANDLE_INVALID, ARGUMENT_INVALID, VALIDATE_FAILED, VMID_INVALID, DENIED, NORESOURCE,
                MAP_FAILED, NOMEM);
        row(MessageId.MEM_RELEASE, ParcelReturn::decode, any(),
                now((s, c) -> s.parcels.release(c.caller(), c.request())),
                MSG_INVALID, HANDLE_INVALID, DENIED, MEM_RELEASED, ARGUMENT_INVALID, MAP_FAILED);
        row(MessageId.MEM_RECLAIM, ParcelReturn::decode, any(),
                now((s, c) -> s.parcels.reclaim(c.caller(), c.request())),
                MSG_INVALID, HANDLE_INVALID, DENIED, MEM_INUSE, ARGUMENT_INVALID);
        row(MessageId.MEM_NOTIFY, ParcelNotify::decode, any(), now((s, c) -> s.parcels.notify(c.caller(), c.request())),
                MSG_INVALID, HANDLE_INVALID, DENIED, ARGUMENT_INVALID, VMID_INVALID, MEM_INUSE, MEM_RELEASED);
        row(MessageId.MEM_QCOM_LOOKUP_SGL, ParcelLookup::decode, any(),
                now((s, c) -> s.parcels.lookup(c.caller(), c.request())), MSG_INVALID, LOOKUP_FAILED);
    }

    private void create(MessageId id, ParcelTransfer transfer) {
        row(id, ParcelCreate::decode, any(), now((s, c) -> s.parcels.create(c.caller(), transfer, c.request())),
                MSG_INVALID, ARGUMENT_INVALID, DENIED, VMID_INVALID, MEM_INVALID, MAP_FAILED, NOMEM, NORESOURCE);
    }

    private void others() {
        row(MessageId.VM_IRQ_LEND, IrqLend::decode, any(), now((s, c) -> s.interrupts.lend(c)),
                MSG_INVALID, IRQ_INVALID, VMID_INVALID, IRQ_INUSE);
        row(MessageId.VM_IRQ_ACCEPT, IrqAccept::decode, any(), now((s, c) -> s.interrupts.accept(c)),
                MSG_INVALID, HANDLE_INVALID, IN_USE, DENIED, ARGUMENT_INVALID);
        row(MessageId.VM_IRQ_RELEASE, IrqHandle::decode, any(), now((s, c) -> s.interrupts.release(c)),
                MSG_INVALID, HANDLE_INVALID, IN_USE);
        row(MessageId.VM_IRQ_RECLAIM, IrqHandle::decode, any(), now((s, c) -> s.interrupts.reclaim(c)),
                MSG_INVALID, HANDLE_INVALID, IN_USE, IRQ_INVALID);
        row(MessageId.VM_IRQ_NOTIFY, IrqNotify::decode, any(), now((s, c) -> s.interrupts.notify(c)),
                MSG_INVALID, HANDLE_INVALID, IRQ_INUSE, IRQ_RELEASED, ARGUMENT_INVALID, NORESOURCE);
        Scope<VmRequest> console = Scope.console(VmRequest::vmid);
        row(MessageId.CONSOLE_OPEN, VmRequest::decode, console, now((s, c) -> s.consoles.open(c)),
                MSG_INVALID, ARGUMENT_INVALID, DENIED);
        row(MessageId.CONSOLE_CLOSE, VmRequest::decode, console, now((s, c) -> s.consoles.close(c)),
                MSG_INVALID, ARGUMENT_INVALID, DENIED);
        row(MessageId.CONSOLE_WRITE, ConsoleText::decode, Scope.console(ConsoleText::vmid),
                now((s, c) -> s.consoles.write(c)),
                MSG_INVALID, ARGUMENT_INVALID, DENIED);
        row(MessageId.CONSOLE_FLUSH, VmRequest::decode, console, now((s, c) -> s.consoles.flush(c)),
                MSG_INVALID, ARGUMENT_INVALID, DENIED);
        row(MessageId.IPA_RESERVE, IpaReserve::decode, Scope.<IpaReserve>self().exceptHlos(),
                now((s, c) -> s.addresses.reserve(c)), DENIED, MSG_INVALID, ARGUMENT_INVALID, NORESOURCE);
        row(MessageId.FW_MILESTONE, Nothing::decode, hlos(),
                now((s, c) -> s.firmware.milestone(c)), DENIED, MSG_INVALID);
        row(MessageId.FW_SET_VM_FIRMWARE, FirmwareImage::decode, hlos(), now((s, c) -> s.firmware.set(c)),
                DENIED, MSG_INVALID, HANDLE_INVALID, VMID_INVALID, ARGUMENT_INVALID, NOMEM, BUSY);
    }

    private <T> void row(MessageId id, Function<byte[], T> decoder, Scope<T> scope, Service<T> service,
            RmError... errors) {
        rows.put(id, new MessageRow<>(id, decoder, scope, Set.of(errors), service));
    }

    private static <T> Service<T> now(BiFunction<Services, Call<T>, Reply> service) {
        return (services, call) -> call.answer().send(service.apply(services, call));
    }

    /** {@return the row of a message id} */
    Optional<MessageRow<?>> row(int id) {
        return MessageId.of(id).map(rows::get);
    }

    Collection<MessageRow<?>> rows() {
        return Collections.unmodifiableCollection(rows.values());
    }
}
