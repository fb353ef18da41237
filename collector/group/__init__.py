"""Running a group: who belongs to it, their certificates, and what the broker is to let them do.

    register.py   who belongs to the group, on disk       authority.py  the certificate authorities
    access.py     who may do what, as mosquitto reads it  broker.py     all files that mosquitto needs
    folder.py     the folder on disk                      names.py      what may be called what
    membership.py adding, renewing, revoking

It works on one folder and knows nothing of the daemon, of MQTT, or of the store. The sealed file that a new
member is given is `enrolment.py`'s; what is done with it on the gateway is `enroll`'s.
"""
