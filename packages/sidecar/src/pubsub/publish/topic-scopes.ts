import type { ComponentSettings } from '../../components/component-settings.ts';

/** Which topics an application may publish to and subscribe to, as a component's metadata says. */
export interface TopicScopes {
  mayPublish(topic: string): boolean;
  maySubscribe(topic: string): boolean;
}

export function topicScopes(settings: ComponentSettings, appId: string): TopicScopes {
  const allowed = list(settings.text('allowedTopics'));
  const guarded = list(settings.text('protectedTopics'));
  const publishing = ofApp(settings.text('publishingScopes'), appId);
  const subscribing = ofApp(settings.text('subscriptionScopes'), appId);
  const may = (scoped: readonly string[], topic: string): boolean => {
    if (allowed.length > 0 && !allowed.includes(topic)) return false;
    // Protected topics are for those alone to whom they were given by name.
    return (scoped.length === 0 && !guarded.includes(topic)) || scoped.includes(topic);
  };
  return {
    mayPublish: (topic) => may(publishing, topic),
    maySubscribe: (topic) => may(subscribing, topic),
  };
}

/**
 * `app1=t1,t2;app2=`: the topics of one application, whose entries add up. None where it is not named
 * with a `=`; one without a name where nothing follows that: it has no topic then.
 */
function ofApp(text: string | undefined, appId: string): readonly string[] {
  return without(text)
    .split(';')
    .map((entry) => entry.split('='))
    .flatMap(([app, topics]) => (app === appId && topics !== undefined ? topics.split(',') : []));
}

const list = (text: string | undefined): readonly string[] =>
  without(text)
    .split(',')
    .filter((topic) => topic !== '');

/** As daprd reads scopes: spaces are nowhere. */
const without = (text = ''): string => text.replaceAll(' ', '');
