/* telephony_samples.h - bodies and events in the form of the contract, one of each kind. */
#ifndef OG_TESTS_TELEPHONY_SAMPLES_H
#define OG_TESTS_TELEPHONY_SAMPLES_H

#include "gateway/api/telephony/repr.h"

static const struct {
    const struct repr *repr;
    const char *text;
} telephony_samples[] = {
    {&call_repr, "{\"callRef\":\"4f0d21c500030b00\",\"callData\":{\"initialCalled\":{\"id\":{\"log"
                 "inName\":\"oxe41010\",\"phoneNumber\":\"41010\"},\"firstName\":\"Nora\",\"lastNa"
                 "me\":\"Lindqvist\",\"type\":{\"main\":\"USER\"}},\"deviceCall\":false,\"anonymou"
                 "s\":false,\"callUUID\":\"9d0c6c3e-1a52-4c8c-9d7a-2b3f0f7a1c11\",\"state\":\"ACTI"
                 "VE\",\"capabilities\":{\"addMedias\":[],\"transfer\":true,\"blindTransfer\":true"
                 ",\"merge\":true,\"dropMe\":true,\"terminate\":true,\"park\":true,\"startRecord\""
                 ":true}},\"legs\":[{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"state\":\"ACTIVE"
                 "\",\"capabilities\":{\"drop\":true,\"hold\":true,\"sendDtmf\":true}}],\"particip"
                 "ants\":[{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginName\":\"oxe41"
                 "022\",\"phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":\"Téo\",\"last"
                 "Name\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"ACTIVE\",\"medias"
                 "\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}]}"},
    {&calls_repr, "{\"calls\":[{\"callRef\":\"4f0d21c500030b00\",\"callData\":{\"initialCalled\":{"
                  "\"id\":{\"loginName\":\"oxe41010\",\"phoneNumber\":\"41010\"},\"firstName\":\"No"
                  "ra\",\"lastName\":\"Lindqvist\",\"type\":{\"main\":\"USER\"}},\"deviceCall\":fal"
                  "se,\"anonymous\":false,\"callUUID\":\"9d0c6c3e-1a52-4c8c-9d7a-2b3f0f7a1c11\",\"s"
                  "tate\":\"ACTIVE\",\"capabilities\":{\"addMedias\":[],\"transfer\":true,\"blindTr"
                  "ansfer\":true,\"merge\":true,\"dropMe\":true,\"terminate\":true,\"park\":true,\""
                  "startRecord\":true}},\"legs\":[{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"sta"
                  "te\":\"ACTIVE\",\"capabilities\":{\"drop\":true,\"hold\":true,\"sendDtmf\":true}"
                  "}],\"participants\":[{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginN"
                  "ame\":\"oxe41022\",\"phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":"
                  "\"Téo\",\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"ACTI"
                  "VE\",\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}]},{\"callRef\":"
                  "\"4f0d21d900030b00\",\"callData\":{\"initialCalled\":{\"id\":{\"phoneNumber\":\""
                  "0390671234\"},\"displayName\":\"Garage Pont-Neuf\",\"type\":{\"main\":\"EXTERNAL"
                  "\"}},\"lastRedirecting\":{\"id\":{\"loginName\":\"oxe41022\",\"phoneNumber\":\"4"
                  "1022\",\"multiLine\":true},\"firstName\":\"Téo\",\"lastName\":\"Marchand\",\"typ"
                  "e\":{\"main\":\"USER\"}},\"state\":\"HELD\",\"recordState\":\"PAUSED\",\"tags\":"
                  "[{\"name\":\"crm\",\"value\":\"A-118\",\"visibilities\":[\"ALL\"]}],\"capabiliti"
                  "es\":{\"terminate\":true,\"dropMe\":true,\"resumeRecord\":true},\"associatedData"
                  "\":\"order 17\",\"hexaBinaryAssociatedData\":\"6f72646572203137\",\"accountInfo"
                  "\":\"22\",\"acdCallData\":{\"callInfo\":{\"queueWaitingTime\":12,\"globalWaiting"
                  "Time\":31,\"agentGroup\":\"41750\",\"local\":false},\"queueData\":{\"waitingTime"
                  "\":40,\"saturated\":false},\"pilotNumber\":\"41700\",\"rsiNumber\":\"41790\",\"s"
                  "upervisedTransfer\":false,\"pilotTransferInfo\":{\"transferPossible\":true,\"pil"
                  "otStatus\":\"OPEN\"}},\"trunkIdentification\":{\"networkTimeslot\":18,\"trunkNeq"
                  "t\":[301,302]}},\"legs\":[{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"state\":"
                  "\"HELD\",\"ringingRemote\":false,\"capabilities\":{\"retrieve\":true,\"reconnect"
                  "\":true,\"drop\":true}}],\"participants\":[{\"participantId\":\"0390671234\",\"i"
                  "dentity\":{\"id\":{\"phoneNumber\":\"0390671234\"},\"displayName\":\"Garage Pont"
                  "-Neuf\",\"type\":{\"main\":\"EXTERNAL\"}},\"anonymous\":false,\"undroppable\":tr"
                  "ue,\"state\":\"HELD\",\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]"
                  "}]}]}"},
    {&leg_repr, "{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"state\":\"ACTIVE\",\"capabilities"
                "\":{\"drop\":true,\"hold\":true,\"sendDtmf\":true}}"},
    {&legs_repr, "{\"legs\":[{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"state\":\"ACTIVE\",\"ca"
                 "pabilities\":{\"drop\":true,\"hold\":true,\"sendDtmf\":true}}]}"},
    {&participant_repr,
     "{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginName\":\"oxe41022\",\""
     "phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":\"Téo\",\"lastName\":"
     "\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"ACTIVE\",\"medias\":[],\""
     "mediaCapabilities\":[{\"type\":\"AUDIO\"}]}"},
    {&participants_repr,
     "{\"participants\":[{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginNam"
     "e\":\"oxe41022\",\"phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":\"T"
     "éo\",\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"ACTIVE"
     "\",\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}]}"},
    {&device_state_repr, "{\"deviceId\":\"41010\",\"state\":\"IN_SERVICE\"}"},
    {&device_states_repr,
     "{\"deviceStates\":[{\"deviceId\":\"41010\",\"state\":\"IN_SERVICE\"},{\"deviceId"
     "\":\"41510\",\"state\":\"OUT_OF_SERVICE\"}]}"},
    {&telephonic_state_repr,
     "{\"calls\":[{\"callRef\":\"4f0d21c500030b00\",\"callData\":{\"initialCalled\":{"
     "\"id\":{\"loginName\":\"oxe41010\",\"phoneNumber\":\"41010\"},\"firstName\":\"No"
     "ra\",\"lastName\":\"Lindqvist\",\"type\":{\"main\":\"USER\"}},\"deviceCall\":fal"
     "se,\"anonymous\":false,\"callUUID\":\"9d0c6c3e-1a52-4c8c-9d7a-2b3f0f7a1c11\",\"s"
     "tate\":\"ACTIVE\",\"capabilities\":{\"addMedias\":[],\"transfer\":true,\"blindTr"
     "ansfer\":true,\"merge\":true,\"dropMe\":true,\"terminate\":true,\"park\":true,\""
     "startRecord\":true}},\"legs\":[{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"sta"
     "te\":\"ACTIVE\",\"capabilities\":{\"drop\":true,\"hold\":true,\"sendDtmf\":true}"
     "}],\"participants\":[{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginN"
     "ame\":\"oxe41022\",\"phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":"
     "\"Téo\",\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"ACTI"
     "VE\",\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}]}],\"deviceCapa"
     "bilities\":[{\"deviceId\":\"41010\",\"makeCall\":true,\"makeBusinessCall\":true,"
     "\"makePrivateCall\":true,\"unParkCall\":true},{\"deviceId\":\"41510\"}],\"userSt"
     "ate\":\"BUSY\",\"deviceStates\":{\"deviceStates\":[{\"deviceId\":\"41010\",\"sta"
     "te\":\"IN_SERVICE\"},{\"deviceId\":\"41510\",\"state\":\"OUT_OF_SERVICE\"}]}}"},
    {&call_created_repr,
     "{\"eventName\":\"OnCallCreated\",\"loginName\":\"oxe41010\",\"callRef\":\"4f0d21"
     "c500030b00\",\"cause\":\"UNKNOWN\",\"callData\":{\"initialCalled\":{\"id\":{\"lo"
     "ginName\":\"oxe41010\",\"phoneNumber\":\"41010\"},\"firstName\":\"Nora\",\"lastN"
     "ame\":\"Lindqvist\",\"type\":{\"main\":\"USER\"}},\"state\":\"RINGING_INCOMING\""
     ",\"capabilities\":{\"addMedias\":[],\"redirect\":true,\"pickedUp\":true,\"termin"
     "ate\":true}},\"initiator\":\"41022\",\"legs\":[{\"deviceId\":\"41010\",\"media\""
     ":\"AUDIO\",\"state\":\"RINGING_INCOMING\",\"capabilities\":{\"answer\":true}}],"
     "\"participants\":[{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginName"
     "\":\"oxe41022\",\"phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":\"Té"
     "o\",\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"RINGING_"
     "INCOMING\",\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}],\"device"
     "Capabilities\":[{\"deviceId\":\"41010\"},{\"deviceId\":\"41510\"}]}"},
    {&call_modified_repr,
     "{\"eventName\":\"OnCallModified\",\"loginName\":\"oxe41010\",\"callRef\":\"4f0d2"
     "1c500030b00\",\"callData\":{\"state\":\"ACTIVE\",\"capabilities\":{\"addMedias\""
     ":[],\"transfer\":true,\"blindTransfer\":true,\"dropMe\":true,\"terminate\":true}"
     "},\"modifiedLegs\":[{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"state\":\"ACTI"
     "VE\",\"capabilities\":{\"drop\":true,\"hold\":true,\"sendDtmf\":true}}],\"modifi"
     "edParticipants\":[{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginName"
     "\":\"oxe41022\",\"phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":\"Té"
     "o\",\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"ACTIVE\""
     ",\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}],\"removedParticipa"
     "ntIds\":[],\"deviceCapabilities\":[{\"deviceId\":\"41010\",\"makeCall\":true,\"m"
     "akeBusinessCall\":true,\"makePrivateCall\":true,\"unParkCall\":true},{\"deviceId"
     "\":\"41510\"}]}"},
    {&call_removed_repr,
     "{\"eventName\":\"OnCallRemoved\",\"loginName\":\"oxe41010\",\"callRef\":\"4f0d21"
     "c500030b00\",\"cause\":\"CLEARED\",\"deviceCapabilities\":[{\"deviceId\":\"41010"
     "\",\"makeCall\":true,\"makeBusinessCall\":true,\"makePrivateCall\":true,\"unPark"
     "Call\":true},{\"deviceId\":\"41510\"}]}"},
    {&user_state_event_repr,
     "{\"eventName\":\"OnUserStateModified\",\"loginName\":\"oxe41010\",\"state\":\"BU"
     "SY\"}"},
    {&device_state_event_repr,
     "{\"eventName\":\"OnDeviceStateModified\",\"loginName\":\"oxe41010\",\"deviceStat"
     "es\":[{\"deviceId\":\"41010\",\"state\":\"IN_SERVICE\"},{\"deviceId\":\"41510\","
     "\"state\":\"OUT_OF_SERVICE\"}]}"},
    {&telephony_state_event_repr,
     "{\"eventName\":\"OnTelephonyState\",\"loginName\":\"oxe41010\",\"state\":{\"call"
     "s\":[{\"callRef\":\"4f0d21c500030b00\",\"callData\":{\"initialCalled\":{\"id\":{"
     "\"loginName\":\"oxe41010\",\"phoneNumber\":\"41010\"},\"firstName\":\"Nora\",\"l"
     "astName\":\"Lindqvist\",\"type\":{\"main\":\"USER\"}},\"deviceCall\":false,\"ano"
     "nymous\":false,\"callUUID\":\"9d0c6c3e-1a52-4c8c-9d7a-2b3f0f7a1c11\",\"state\":"
     "\"ACTIVE\",\"capabilities\":{\"addMedias\":[],\"transfer\":true,\"blindTransfer"
     "\":true,\"merge\":true,\"dropMe\":true,\"terminate\":true,\"park\":true,\"startR"
     "ecord\":true}},\"legs\":[{\"deviceId\":\"41010\",\"media\":\"AUDIO\",\"state\":"
     "\"ACTIVE\",\"capabilities\":{\"drop\":true,\"hold\":true,\"sendDtmf\":true}}],\""
     "participants\":[{\"participantId\":\"41022\",\"identity\":{\"id\":{\"loginName\""
     ":\"oxe41022\",\"phoneNumber\":\"41022\",\"multiLine\":true},\"firstName\":\"Téo"
     "\",\"lastName\":\"Marchand\",\"type\":{\"main\":\"USER\"}},\"state\":\"ACTIVE\","
     "\"medias\":[],\"mediaCapabilities\":[{\"type\":\"AUDIO\"}]}]}],\"deviceCapabilit"
     "ies\":[{\"deviceId\":\"41010\",\"makeCall\":true,\"makeBusinessCall\":true,\"mak"
     "ePrivateCall\":true,\"unParkCall\":true},{\"deviceId\":\"41510\"}],\"userState\""
     ":\"BUSY\",\"deviceStates\":{\"deviceStates\":[{\"deviceId\":\"41010\",\"state\":"
     "\"IN_SERVICE\"},{\"deviceId\":\"41510\",\"state\":\"OUT_OF_SERVICE\"}]}}}"},
};

#endif
